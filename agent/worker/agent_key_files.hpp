#pragma once

// The agent's private keys in its data directory, 0600 each:
//
//   agent.key          the key
//   agent.key.next     made to replace it, before the control plane hears of it
//   agent.key.former   the one that it replaced
//
// At every instant, also of a power cut, each key that the control plane may take has one of these
// names. Which one it takes is found out by asking (agent/core/key_choice.hpp); then the files
// follow. The control plane refuses a former key, unless it was put back to a backup that knows no
// other: for that it is kept kFormerKeyKeptFor.

#include <chrono>
#include <filesystem>
#include <optional>

#include "agent/core/key_choice.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/crypto/ed25519.hpp"

namespace synapsex::agent {

inline constexpr std::chrono::days kFormerKeyKeptFor{30};

struct AgentKeys {
    crypto::Ed25519Key current;
    std::optional<crypto::Ed25519Key> next{};
    std::optional<crypto::Ed25519Key> former{};

    // There has to be one.
    const crypto::Ed25519Key& at(KeySlot slot) const;
};

class AgentKeyFiles {
 public:
    explicit AgentKeyFiles(std::filesystem::path data_dir) : data_dir_(std::move(data_dir)) {}

    // The key is there and ours, or it is a failure. Of the others one that cannot be used is
    // logged and left out.
    Result<AgentKeys> load() const;
    // The same one until it has become the key.
    Result<crypto::Ed25519Key> load_or_make_next(Random& random) const;
    // The control plane takes the key of that slot: it becomes agent.key. Repeatable.
    Result<Done> settle(KeySlot taken) const;
    // Removes a former key whose time is over.
    void drop_old_former(Timestamp now) const;

 private:
    std::filesystem::path key_path() const { return data_dir_ / "agent.key"; }
    std::filesystem::path next_path() const { return data_dir_ / "agent.key.next"; }
    std::filesystem::path former_path() const { return data_dir_ / "agent.key.former"; }
    std::optional<crypto::Ed25519Key> find(const std::filesystem::path& path) const;
    Result<Done> take_next() const;
    Result<Done> take_former() const;

    std::filesystem::path data_dir_;
};

}  // namespace synapsex::agent
