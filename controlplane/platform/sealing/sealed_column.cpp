#include "controlplane/platform/sealing/sealed_column.hpp"

#include "controlplane/platform/db/query.hpp"
#include "shared/crypto/seal.hpp"

namespace synapsex::sealing {

namespace {

constexpr std::string_view kForm = "s1.";

// A tenant's id has no slash.
std::string bound_to(const RowId& row) { return row.tenant.text() + "/" + std::string{row.id}; }

// Of the root key, between the form and the next dot.
std::string_view key_id_in(std::string_view sealed) {
    if (!sealed.starts_with(kForm)) return {};
    sealed.remove_prefix(kForm.size());
    const auto dot = sealed.find('.');
    return dot == sealed.npos ? std::string_view{} : sealed.substr(0, dot);
}

}  // namespace

SealedColumn::SealedColumn(
    const crypto::RootKey& root, std::string_view table, std::string_view column
)
    : name_(std::string{table} + "." + std::string{column}),
      prefix_(std::string{kForm} + root.key_id() + "."),
      key_(root.derive("synapsex.sealed-column." + name_)) {}

std::string SealedColumn::seal(
    const RowId& row, std::string_view plaintext, Random& random
) const {
    return prefix_ + crypto::seal(key_, plaintext, bound_to(row), random);
}

std::string SealedColumn::open(const RowId& row, std::string_view sealed) const {
    const auto fail = [&](const std::string& why) {
        return db::DatabaseError(name_ + " of " + std::string{row.id} + " does not open: " + why);
    };
    const auto key_id = key_id_in(sealed);
    if (key_id.empty()) throw fail("it is not sealed");
    if (!sealed.starts_with(prefix_))
        throw fail(
            "it was sealed under the root key " + std::string{key_id} + ", and this is " +
            prefix_.substr(kForm.size(), prefix_.size() - kForm.size() - 1)
        );
    auto plaintext = crypto::open(key_, sealed.substr(prefix_.size()), bound_to(row));
    if (!plaintext) throw fail("it was changed, or belongs to another row, tenant or column");
    return *std::move(plaintext);
}

}  // namespace synapsex::sealing
