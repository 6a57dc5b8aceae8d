#pragma once

// The data directory: mode 0700, keys in keys/, the SQLite database beside it.

#include <filesystem>

#include "shared/base/random.hpp"
#include "shared/crypto/ed25519.hpp"

namespace synapsex::app {

// Makes the directories that are missing. Throws StartRefused.
void make_data_dir(const std::filesystem::path& data_dir);

// The key that signs access tokens. Throws StartRefused: there is none (run init), or it cannot be
// read.
crypto::Ed25519Key load_signing_key(const std::filesystem::path& data_dir);

// The same, made first if it is missing.
crypto::Ed25519Key load_or_make_signing_key(const std::filesystem::path& data_dir, Random& random);

}  // namespace synapsex::app
