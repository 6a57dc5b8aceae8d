#include "controlplane/platform/certificates/own_certificate.hpp"

#include <fstream>
#include <sstream>

#include "shared/base/log.hpp"
#include "shared/crypto/key_file.hpp"

namespace synapsex::certificates {

namespace {

// Empty if it cannot be read: then another takes its place.
std::string content_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    return text.str();
}

Problem unwritable(const std::filesystem::path& path, const std::string& why) {
    return {Kind::internal, "certificates.unwritable", path.string() + ": " + why};
}

std::string joined(const std::vector<std::string>& names) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    return list;
}

}  // namespace

Result<Done> OwnCertificate::renew_if_due() {
    SYNAPSEX_TRY(const auto authority, crypto::Authority::load(parts_.authority));
    {
        const std::lock_guard lock{mutex_};
        authority_ = authority;
    }
    const auto now = parts_.clock.now();
    if (authority.is_current(content_of(parts_.file), parts_.names, now)) return Done{};
    std::error_code failure;
    const auto folder = parts_.file.parent_path();
    if (std::filesystem::create_directories(folder, failure))
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failure);
    if (failure) return unwritable(folder, failure.message());
    const auto written =
        crypto::replace_key_file(parts_.file, authority.issue(parts_.names, now));
    if (!written) return unwritable(parts_.file, written.error().detail);
    log_info("certificate issued", {{"names", joined(parts_.names)},
                                    {"file", parts_.file.string()}});
    return Done{};
}

std::optional<crypto::Authority> OwnCertificate::authority() const {
    const std::lock_guard lock{mutex_};
    return authority_;
}

std::string OwnCertificate::authority_pin() const {
    const auto known = authority();
    return known ? known->pin() : std::string{};
}

std::optional<crypto::TimeProof> OwnCertificate::prove_time(std::string_view nonce) const {
    const auto known = authority();
    if (!known) return std::nullopt;
    return known->prove_time(nonce, parts_.clock.now());
}

}  // namespace synapsex::certificates
