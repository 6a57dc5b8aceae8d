#include "agent/worker/identity_store.hpp"

#include "agent/transport/json_codec.hpp"
#include "agent/worker/files.hpp"
#include "shared/crypto/trust_root.hpp"

namespace synapsex::agent {

Result<std::optional<Identity>> IdentityStore::find_identity() const {
    constexpr std::size_t kIdentityBytesMax = 16 * 1024;
    SYNAPSEX_TRY(const auto text, find_own_file(identity_path(), kIdentityBytesMax));
    if (!text) return std::optional<Identity>{};
    auto identity = read_identity(*text);
    const bool is_whole = identity && !identity->url.empty() && !identity->issuer.empty();
    // A root that cannot be read is not taken for none.
    if (is_whole && (identity->trust_root.empty() ||
                     crypto::is_trust_root_fingerprint(identity->trust_root)))
        return identity;
    return Problem{
        .kind = Kind::internal,
        .code = "agent.identity_damaged",
        .detail = identity_path().string() +
                  " is damaged. Restore it from a backup, or delete it together with agent.key and "
                  "enroll again with a new token.",
    };
}

Result<Done> IdentityStore::save_identity(const Identity& identity) const {
    return write_file_atomically(
        identity_path(), write_identity(identity) + "\n", FileDurability::synced
    );
}

Result<crypto::Ed25519Key> IdentityStore::load_or_make_key(Random& random) const {
    if (std::filesystem::exists(key_path())) return crypto::Ed25519Key::load_pem_file(key_path());
    auto key = crypto::Ed25519Key::generate(random);
    SYNAPSEX_CHECK(key.save_pem_file(key_path()));
    return key;
}

}  // namespace synapsex::agent
