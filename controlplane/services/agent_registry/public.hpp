#pragma once

// What other services may ask of agent-registry-service: which key an agent has.

#include <functional>
#include <optional>
#include <string>

#include "controlplane/platform/auth/call.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent_registry {

struct AgentIdentity {
    AgentId agent_id;
    TenantId tenant_id;
    VmId vm_id;
    // Raw 32 bytes of Ed25519 each, or empty.
    std::string public_key;           // the key; empty: the next one was not used for too long
    std::string next_public_key{};    // counts as well, until it is used
    std::string former_public_key{};  // was the key, and counts no more
    std::optional<Timestamp> key_since{};  // nullopt: public_key is the first one
};

class AgentDirectory {
 public:
    virtual ~AgentDirectory() = default;

    // Across tenants: an agent that proves its key has said nothing else yet. Kind::unauthenticated
    // auth.unknown_key for an id that does not exist, auth.agent_revoked for one that was removed.
    virtual Result<AgentIdentity> get_identity(const Call& call, const AgentId& agent) = 0;

    // The agent has proved its next key (raw), which is its only one from now on.
    virtual Result<Done> adopt_next_key(
        const Call& call, const AgentId& agent, std::string_view public_key
    ) = 0;

    // Called after an agent was removed or has another key, so that nobody goes on trusting it from
    // memory. Set before serving.
    virtual void on_doubted(std::function<void(const AgentId&)> callback) = 0;
};

}  // namespace synapsex::agent_registry
