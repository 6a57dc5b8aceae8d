#include "controlplane/services/agent_registry/routes.hpp"

#include "controlplane/services/agent_registry/agent_keys.hpp"
#include "controlplane/services/agent_registry/agents.hpp"
#include "controlplane/services/agent_registry/enrollment.hpp"
#include "controlplane/services/agent_registry/heartbeats.hpp"
#include "controlplane/services/agent_registry/inventory_reports.hpp"

namespace synapsex::agent_registry {

void mount_routes(
    api::Router& router, Enrollment& enrollment, Heartbeats& heartbeats, Agents& agents,
    AgentKeys& keys, InventoryReports& inventory
) {
    router.mount(kCreateToken, [&](const Call& call, const CreateEnrollmentToken& wish) {
        return enrollment.create_token(call, wish);
    });
    router.mount(kListTokens, [&](const Call& call, const ListEnrollmentTokens& wish) {
        return enrollment.list_tokens(call, wish);
    });
    router.mount(kRevokeToken, [&](const Call& call, const EnrollmentTokenPath& path) {
        return enrollment.revoke_token(call, path);
    });
    router.mount(kEnroll, [&](const Call& call, const Enroll& wish) {
        return enrollment.enroll(call, wish);
    });
    router.mount(kProveTime, [&](const Call&, const ProveTime& wish) {
        return enrollment.prove_time(wish);
    });
    router.mount(kHeartbeat, [&](const Call& call, const Heartbeat& heartbeat) {
        return heartbeats.beat(call, heartbeat);
    });
    router.mount(kPutInventory, [&](const Call& call, const PutInventory& wish) {
        return inventory.put(call, wish);
    });
    router.mount(kRotateKey, [&](const Call& call, const AgentPath& path) {
        return keys.want(call, path);
    });
    router.mount(kPutKey, [&](const Call& call, const PutKey& wish) {
        return keys.put(call, wish);
    });
    router.mount(kListAgents, [&](const Call& call, const ListAgents& wish) {
        return agents.list(call, wish);
    });
    router.mount(kGetAgent, [&](const Call& call, const AgentPath& path) {
        return agents.get(call, path);
    });
    router.mount(kUpdateAgent, [&](const Call& call, const UpdateAgent& wish) {
        return agents.update(call, wish);
    });
    router.mount(kRemoveAgent, [&](const Call& call, const AgentPath& path) {
        return agents.remove(call, path);
    });
}

}  // namespace synapsex::agent_registry
