#pragma once

// What other services may ask of agent-registry-service: which key an agent has.

#include <functional>
#include <string>

#include "controlplane/platform/auth/call.hpp"
#include "shared/base/result.hpp"

namespace synapsex::agent_registry {

struct AgentIdentity {
    AgentId agent_id;
    TenantId tenant_id;
    VmId vm_id;
    std::string public_key;  // raw 32 bytes of Ed25519
};

class AgentDirectory {
 public:
    virtual ~AgentDirectory() = default;

    // Across tenants: an agent that proves its key has said nothing else yet. Kind::unauthenticated
    // auth.unknown_key for an id that does not exist, auth.agent_revoked for one that was removed.
    virtual Result<AgentIdentity> get_identity(const Call& call, const AgentId& agent) = 0;

    // Called after an agent was removed, so that nobody goes on trusting it from memory. Set before
    // serving.
    virtual void on_removed(std::function<void(const AgentId&)> callback) = 0;
};

}  // namespace synapsex::agent_registry
