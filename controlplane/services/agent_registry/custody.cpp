#include "controlplane/services/agent_registry/custody.hpp"

#include <algorithm>

namespace synapsex::agent_registry {

namespace {

constexpr db::SystemScope kCustody{"agent_registry.custody"};

}  // namespace

Result<Done> Custody::renew(const Call& call) {
    const auto& replica = parts_.presence.replica();
    std::set<std::string> living;
    std::vector<AgentRow> agents;
    bool was_alive = false;
    const auto look = [&](db::Session& session) -> Result<Done> {
        AgentStore store{session};
        const auto now = session.now();
        const auto replicas = store.list_replicas(now);
        living = {replicas.begin(), replicas.end()};
        was_alive = living.erase(replica) > 0;
        store.put_replica(replica, now + kAliveFor);
        store.prune_replicas(now);
        agents.clear();
        if (!was_alive || !std::ranges::includes(living, peers_)) agents = store.list_all();
        return Done{};
    };
    SYNAPSEX_CHECK(parts_.database.write(kCustody, call, look));
    if (!was_alive) parts_.presence.doubt();
    std::erase_if(agents, [&](const AgentRow& agent) { return living.contains(agent.heard_by); });
    parts_.presence.adopt(agents);
    peers_ = std::move(living);
    return Done{};
}

Result<Done> Custody::leave(const Call& call) {
    return parts_.database.write(kCustody, call, [&](db::Session& session) -> Result<Done> {
        AgentStore{session}.remove_replica(parts_.presence.replica());
        return Done{};
    });
}

}  // namespace synapsex::agent_registry
