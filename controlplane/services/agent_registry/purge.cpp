#include "controlplane/services/agent_registry/purge.hpp"

#include "controlplane/services/agent_registry/store.hpp"

namespace synapsex::agent_registry {

namespace {
constexpr std::int64_t kBatch = 100;
}  // namespace

Result<std::vector<TableCount>> AgentPurge::count_rows(
    const Call& call, const TenantId& tenant
) {
    return database_.read(
        call.of_tenant(tenant),
        [&](db::Session& session) -> Result<std::vector<TableCount>> {
            return AgentStore{session}.count_rows(tenant);
        }
    );
}

Result<Done> AgentPurge::remove_rows(const Call& call, const TenantId& tenant) {
    const auto in_tenant = call.of_tenant(tenant);
    const auto now = clock_.now();
    const auto remove_some = [&](db::Session& session) -> Result<std::vector<AgentRow>> {
        AgentStore store{session};
        auto agents = store.list(tenant, "", "", kBatch);
        for (const auto& agent : agents) {
            store.mark_removed(tenant, agent.agent_id, now);
            wakeups::tell(session, kAgentRemoved, agent.agent_id.text());
        }
        return agents;
    };
    for (;;) {
        SYNAPSEX_TRY(const auto removed, database_.write(in_tenant, remove_some));
        if (removed.empty()) break;
        for (const auto& agent : removed) agents_.forget(agent.agent_id);
    }
    return database_.write(in_tenant, [&](db::Session& session) -> Result<Done> {
        AgentStore{session}.remove_rows(tenant);
        return Done{};
    });
}

}  // namespace synapsex::agent_registry
