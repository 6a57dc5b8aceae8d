#pragma once

#include "controlplane/platform/tenant_purge.hpp"
#include "controlplane/services/agent_registry/agents.hpp"

namespace synapsex::agent_registry {

// The agents first, told to every replica, so that none is trusted from memory or reports of a VM
// any more; then what is left of them, and their tokens.
class AgentPurge final : public TenantPurge {
 public:
    AgentPurge(db::Database& database, const Clock& clock, Agents& agents)
        : database_(database), clock_(clock), agents_(agents) {}

    Result<std::vector<TableCount>> count_rows(
        const Call& call, const TenantId& tenant
    ) override;
    Result<Done> remove_rows(const Call& call, const TenantId& tenant) override;

 private:
    db::Database& database_;
    const Clock& clock_;
    Agents& agents_;
};

}  // namespace synapsex::agent_registry
