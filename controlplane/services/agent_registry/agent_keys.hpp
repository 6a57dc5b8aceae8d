#pragma once

// An agent replaces its key. An operator wants it (or the agent itself does), the agent registers
// the next key with the signatures of both, and uses it: that is when the former one ends. Should
// the agent not get that far, the former one ends kBothKeysCountFor later.
//
//   wanted -> registered (both keys count) -> used: agent.key_replaced
//
// Each step may be repeated, and an agent that was cut off after any of them still has a key that
// counts (agent/worker/agent_key_files.hpp has the other half).

#include <string>
#include <string_view>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/wakeups/wakeups.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "controlplane/services/agent_registry/presence.hpp"
#include "controlplane/services/agent_registry/public.hpp"
#include "shared/base/random.hpp"

namespace synapsex::agent_registry {

inline constexpr std::chrono::hours kBothKeysCountFor{24};
// shared/proto/CAPABILITIES.md.
inline constexpr std::int64_t kReplacesItsKey = 5;

// The agent's id.
inline constexpr wakeups::Topic kKeyWanted{"agent_registry.key_wanted"};

// `public_key` in base64url, as rows have it.
std::string key_id_of(std::string_view public_key);
// Which keys count at the instant.
AgentIdentity identity_of(const AgentRow& row, Timestamp now);
// Kind::conflict agents.key_taken.
Problem key_taken();

class AgentKeys {
 public:
    struct Parts {
        db::Database& database;
        const Clock& clock;
        Random& random;
        PresenceBook& presence;
        std::string issuer;
    };
    explicit AgentKeys(Parts parts) : parts_(std::move(parts)) {}

    // Kind::not_found agents.not_found; Kind::conflict agents.capability_missing for an agent of a
    // release that would ignore it.
    Result<KeyWanted> want(const Call& call, const AgentPath& path);
    // Kind::not_found unless the caller is the agent of the path; Kind::invalid agents.key_invalid;
    // Kind::unprocessable agents.key_unproved for a signature that does not hold; Kind::conflict
    // agents.key_not_current for one by a key that is not the agent's, agents.key_taken.
    Result<KeyTaken> put(const Call& call, const PutKey& wish);

    // The agent's open poll is to be answered: it is to hear what is wanted of it.
    void on_wanted(std::function<void(const AgentId&)> callback) {
        on_wanted_ = std::move(callback);
    }
    // Here or in another replica.
    void note_wanted(const AgentId& agent);

 private:
    Result<Done> store_next_key(
        const Call& call, const AgentRow& row, const PutKey& wish, Timestamp now
    );

    Parts parts_;
    std::function<void(const AgentId&)> on_wanted_;
};

}  // namespace synapsex::agent_registry
