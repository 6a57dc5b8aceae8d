#pragma once

// The agents themselves: lists, names, removal, and the identity that auth-service asks for.

#include <functional>

#include "controlplane/platform/api/router.hpp"
#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/wakeups/wakeups.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "controlplane/services/agent_registry/presence.hpp"
#include "controlplane/services/agent_registry/public.hpp"

namespace synapsex::agent_registry {

// Its key reads as revoked for so long, then as unknown: refused either way.
inline constexpr std::chrono::days kRemovedAgentsKeptFor{90};

// Kind::unauthenticated auth.agent_revoked.
Problem agent_revoked();
// The agent as events show it.
std::string news_of(const AgentRow& row);

// The agent's id.
inline constexpr wakeups::Topic kAgentRemoved{"agent_registry.agent_removed"};
inline constexpr wakeups::Topic kKeyReplaced{"agent_registry.key_replaced"};

class Agents final : public AgentDirectory {
 public:
    struct Parts {
        db::Database& database;
        const Clock& clock;
        Random& random;
        vm_registry::VmDirectory& vms;
        PresenceBook& presence;
    };
    explicit Agents(const Parts& parts) : parts_(parts) {}

    Result<api::WithHeaders<AgentList>> list(const Call& call, const ListAgents& wish);
    // Kind::not_found agents.not_found.
    Result<Agent> get(const Call& call, const AgentPath& path);
    Result<Agent> update(const Call& call, const UpdateAgent& wish);
    // With its VM. Its key is refused from then on, and its open poll ends. Repeatable: for an
    // agent that was removed it makes sure that the VM is gone too.
    Result<Removed> remove(const Call& call, const AgentPath& path);

    // One that was removed, here or in another replica: who held it in memory is told.
    void forget(const AgentId& agent);
    // One that has another key: the same, but it stays.
    void doubt(const AgentId& agent);
    // Deletes agents that were removed long ago, as far as the deadline lets it; a removal that
    // broke off is finished first. Returns how many.
    Result<std::int64_t> prune_removed(const Call& call);

    Result<AgentIdentity> get_identity(const Call& call, const AgentId& agent) override;
    Result<Done> adopt_next_key(
        const Call& call, const AgentId& agent, std::string_view public_key
    ) override;
    void on_doubted(std::function<void(const AgentId&)> callback) override;

 private:
    Agent shown(const AgentRow& row) const;

    Parts parts_;
    std::vector<std::function<void(const AgentId&)>> on_doubted_;
};

}  // namespace synapsex::agent_registry
