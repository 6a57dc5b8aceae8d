#pragma once

// Keys in files of one directory, mode 0600: <name>.pem for what signs (Ed25519, PKCS #8), root.key
// for the root key (32 bytes as they are). Files are read and made by key_file.hpp's rules; a key
// that is there is never written over.

#include <filesystem>

#include "shared/base/random.hpp"
#include "shared/crypto/key_store.hpp"

namespace synapsex::crypto {

class FileKeyStore final : public KeyStore {
 public:
    // The directory has to be there before a key is made.
    FileKeyStore(std::filesystem::path directory, Random& random)
        : directory_(std::move(directory)), random_(random) {}

    Result<SigningKeys> get(std::string_view name) const override;
    Result<SigningKeys> get_or_make(std::string_view name) override;
    Result<std::vector<NamedKeys>> list() const override;
    Result<RootKey> get_root_key() const override;
    Result<RootKey> get_or_make_root_key() override;

 private:
    std::filesystem::path path_of(std::string_view name) const;
    std::filesystem::path root_path() const { return directory_ / "root.key"; }

    std::filesystem::path directory_;
    Random& random_;
};

}  // namespace synapsex::crypto
