#pragma once

// A column whose values are secrets that have to come back (a TOTP seed, a webhook's secret; what
// only has to be recognised is stored as a hash instead). Whoever reads the database, or a backup
// of it, finds nothing without the root key; whoever may write to it cannot move a value to another
// row, tenant or column.
//
//   "s1." root key's id "." base64url(nonce, ciphertext, tag)
//
// in a TEXT column. The id is there so that the root key can be replaced while old values still
// open. Seal before the transaction, with the row's id: a closure may run twice.

#include <string>
#include <string_view>

#include "shared/base/ids.hpp"
#include "shared/base/random.hpp"
#include "shared/crypto/root_key.hpp"

namespace synapsex::sealing {

// What a value belongs to: the tenant (empty in a table without tenants) and the row's id.
struct RowId {
    TenantId tenant{};
    std::string_view id;
};

// One column of one table, with a key of its own. Any thread.
class SealedColumn {
 public:
    // The names as the migration has them: they can never change.
    SealedColumn(const crypto::RootKey& root, std::string_view table, std::string_view column);

    std::string seal(const RowId& row, std::string_view plaintext, Random& random) const;
    // Throws db::DatabaseError, which says what is wrong and nothing of the value: it was sealed
    // under another root key, or it was changed, or sealed for another row, tenant or column.
    std::string open(const RowId& row, std::string_view sealed) const;

 private:
    std::string name_;  // "auth_users.totp_seed"
    std::string prefix_;
    crypto::SealingKey key_;
};

}  // namespace synapsex::sealing
