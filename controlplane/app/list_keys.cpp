#include <cstdio>
#include <stdexcept>

#include "controlplane/app/commands.hpp"
#include "controlplane/app/data_dir.hpp"
#include "controlplane/app/databases.hpp"
#include "shared/crypto/authority.hpp"
#include "shared/crypto/file_key_store.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::app {

namespace {

const char* name_of(crypto::SignatureAlgorithm algorithm) {
    switch (algorithm) {
    case crypto::SignatureAlgorithm::ed25519:
        return "Ed25519";
    }
    throw std::logic_error("an algorithm without a name");
}

}  // namespace

int list_keys(const Config& config) {
    require_owner(config.data_dir);
    refuse_unfinished_restore(config.data_dir);
    SystemRandom random;
    const crypto::FileKeyStore keys{key_directory(config.data_dir), random};
    const auto root = keys.get_root_key();
    if (!root) throw StartRefused(root.error().detail);
    const auto signing = keys.list();
    if (!signing) throw StartRefused(signing.error().detail);
    std::printf("root\tHKDF-SHA256\t%s\n", root->key_id().c_str());
    const auto authority = load_authority(config.data_dir);
    std::printf(
        "authority\tECDSA P-256\t%s\tuntil %s\n", authority.pin().c_str(),
        format_rfc3339(authority.not_after()).c_str()
    );
    if (const auto former = authority.former_pin())
        std::printf("authority (former)\tECDSA P-256\t%s\n", former->c_str());
    for (const auto& [name, published] : *signing)
        for (const auto& key : published)
            std::printf(
                "%s\t%s\t%s\t%s\n", name.c_str(), name_of(key.algorithm), key.key_id.c_str(),
                crypto::to_base64url(key.bytes).c_str()
            );
    return 0;
}

}  // namespace synapsex::app
