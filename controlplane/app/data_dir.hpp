#pragma once

// The data directory: mode 0700, keys in keys/, the issuer in issuer, the SQLite database beside
// them.

#include <filesystem>
#include <optional>
#include <string>

#include "controlplane/app/config.hpp"
#include "shared/base/random.hpp"
#include "shared/crypto/ed25519.hpp"

namespace synapsex::app {

// Makes the directories that are missing. Throws StartRefused.
void make_data_dir(const std::filesystem::path& data_dir);

// Who this control plane is to those who prove something to it, or hold something it signed. Made
// once: agents keep the issuer, so moving to another address or to TLS must not change it.
struct Identity {
    std::string issuer;  // `iss` of access tokens, `aud` of agents' assertions
    crypto::Ed25519Key signing_key;
};

// Throws StartRefused: there is none (run init), or it cannot be read.
Identity load_identity(const std::filesystem::path& data_dir);

// The same; what is missing is made, the issuer from the public URL, and written nowhere.
Identity load_or_make_identity(
    const std::filesystem::path& data_dir, const std::string& public_url, Random& random
);
// Writes what the directory does not have. Throws StartRefused.
void save_identity(const std::filesystem::path& data_dir, const Identity& identity);

// What an operator ought to read who asks for another public URL than the issuer was made from;
// nullopt: nothing.
std::optional<std::string> issuer_notice(const Config& config, const std::string& issuer);

}  // namespace synapsex::app
