#pragma once

// Who this agent is, on disk: agent.key (the private key; agent_key_files.hpp has what becomes of
// it) and identity.json, both 0600 in the data directory. They are written at enrollment; the pins
// of identity.json again when one authority of the control plane follows another.

#include <filesystem>
#include <optional>
#include <string>

#include "agent/core/messages.hpp"
#include "shared/base/result.hpp"
#include "shared/crypto/ed25519.hpp"

namespace synapsex::agent {

class IdentityStore {
 public:
    explicit IdentityStore(std::filesystem::path data_dir) : data_dir_(std::move(data_dir)) {}

    // nullopt before enrollment. A file that cannot be understood is a failure: taking it for
    // "not enrolled" would make a second agent out of one.
    Result<std::optional<Identity>> find_identity() const;
    // All or nothing: written aside, synced, renamed.
    Result<Done> save_identity(const Identity& identity) const;

    // Made and saved when there is none, before the control plane hears of it: an enrollment whose
    // answer was lost is repeated with the same key.
    Result<crypto::Ed25519Key> load_or_make_key(Random& random) const;

 private:
    std::filesystem::path identity_path() const { return data_dir_ / "identity.json"; }
    std::filesystem::path key_path() const { return data_dir_ / "agent.key"; }

    std::filesystem::path data_dir_;
};

}  // namespace synapsex::agent
