#pragma once

// The files of a FileKeyStore and of the certificate authority as they are, to be carried to
// another directory: for backups.

#include <filesystem>
#include <string>
#include <vector>

#include "shared/base/result.hpp"

namespace synapsex::crypto {

struct KeyCopy {
    std::string file;  // "root.key", "authority.key", "access-tokens.pem"
    std::string content;
};

// All keys of the directory, by name. Refuses as read_key_file does: a key that cannot be read is
// not left out.
Result<std::vector<KeyCopy>> copy_keys(const std::filesystem::path& directory);
// Writes one into the directory, never over another. Refuses a name that no key has:
// crypto.key_unwritable.
Result<Done> put_key(const std::filesystem::path& directory, const KeyCopy& copy);

}  // namespace synapsex::crypto
