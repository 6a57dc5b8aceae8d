#pragma once

// The data directory: mode 0700, keys in keys/ (a crypto::FileKeyStore, and the key of the
// installation's certificate authority), the issuer in issuer, the own certificate in tls/, the
// SQLite database beside them. Keys are made by `init` and by nothing else: a control plane that
// made one at its start would sign or seal what those beside it cannot verify or open, and a key
// that a restore forgot has to be missed at once. The one exception is in service_keys.hpp: a key
// of this process alone, and those who do not know it yet say so.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/app/config.hpp"
#include "shared/base/time.hpp"
#include "shared/crypto/authority.hpp"
#include "shared/crypto/key_store.hpp"

namespace synapsex::app {

// Makes the directories that are missing. Throws StartRefused.
void make_data_dir(const std::filesystem::path& data_dir);
// One of them. Throws StartRefused.
void make_private_folder(const std::filesystem::path& folder);

// Refuses another user than the one whose data directory it is: root would be refused the keys, or
// leave files that the control plane cannot read. Throws StartRefused.
void require_owner(const std::filesystem::path& data_dir);

// A restore that changed something and did not come to its end leaves a mark, with which nothing
// starts here: the same restore has to run again. It tells that run what the first one found, so
// that what is of the backup is never taken for what was there before.
struct RestoreMark {
    std::string aside;                   // what ends the names of what is set aside
    std::vector<std::string> databases;  // that are restored
    std::vector<std::string> former;     // files, and databases of PostgreSQL, that were not empty
};
std::optional<RestoreMark> find_restore_mark(const std::filesystem::path& data_dir);
// One that is there already stays. Both throw StartRefused.
void mark_restore(const std::filesystem::path& data_dir, const RestoreMark& mark);
void unmark_restore(const std::filesystem::path& data_dir);
bool is_restore_unfinished(const std::filesystem::path& data_dir);
// Throws StartRefused, which says what to do.
void refuse_unfinished_restore(const std::filesystem::path& data_dir);

// Who this control plane is to those who prove something to it, or hold something it signed. Made
// once: agents keep the issuer, so moving to another address or to TLS must not change it.
struct Identity {
    std::string issuer;  // `iss` of access tokens, `aud` of agents' assertions
    crypto::SigningKeys access_token_keys;
    // See agent_registry::Trust.
    std::function<std::string()> authority_pin = [] { return std::string{}; };
    std::function<std::optional<crypto::TimeProof>(std::string_view)> prove_time =
        [](std::string_view) { return std::nullopt; };
};

// Where a FileKeyStore keeps its keys, and the issuer's file.
std::filesystem::path key_directory(const std::filesystem::path& data_dir);
std::filesystem::path issuer_path(const std::filesystem::path& data_dir);

// Of the installation's certificate authority (crypto/authority.hpp).
std::filesystem::path authority_path(const std::filesystem::path& data_dir);

// Throws StartRefused, which says what to do.
crypto::Authority load_authority(const std::filesystem::path& data_dir);

// Throws StartRefused: there is none (run init), a key cannot be used, the root key is missing, or
// a restore is unfinished.
Identity load_identity(const std::filesystem::path& data_dir, const crypto::KeyStore& keys);

// The same; keys that are missing are made, the issuer is the public URL where there is none yet,
// and is not written.
Identity load_or_make_identity(
    const std::filesystem::path& data_dir, const std::string& public_url, crypto::KeyStore& keys
);
// Makes the certificate authority if the directory has none. Throws StartRefused.
void make_authority(const std::filesystem::path& data_dir, Timestamp now);
// Writes the issuer, whole or not at all, if the directory has none. Throws StartRefused.
void save_issuer(const std::filesystem::path& data_dir, const std::string& issuer);

// What an operator ought to read who asks for another public URL than the issuer was made from;
// nullopt: nothing.
std::optional<std::string> issuer_notice(const Config& config, const std::string& issuer);

}  // namespace synapsex::app
