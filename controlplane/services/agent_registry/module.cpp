#include "controlplane/services/agent_registry/module.hpp"

#include <array>
#include <optional>

#include "controlplane/services/agent_registry/agent_keys.hpp"
#include "controlplane/services/agent_registry/agents.hpp"
#include "controlplane/services/agent_registry/custody.hpp"
#include "controlplane/services/agent_registry/enrollment.hpp"
#include "controlplane/services/agent_registry/heartbeats.hpp"
#include "controlplane/services/agent_registry/inventory_reports.hpp"
#include "controlplane/services/agent_registry/migrations.hpp"
#include "controlplane/services/agent_registry/purge.hpp"
#include "controlplane/services/agent_registry/routes.hpp"
#include "controlplane/services/agent_registry/store.hpp"
#include "shared/base/log.hpp"

namespace synapsex::agent_registry {

namespace {

constexpr std::array<std::string_view, 1> kPrefixes{"/v1/agents"};
constexpr std::array kTables{
    db::Table{
        .name = "agent_registry_agents",
        .growth = db::Growth::growing,
        .kept_for = kRemovedAgentsKeptFor,
        .kept = "one for each agent; {time} after it was removed",
        .pruner = "agent_registry.prune_removed",
    },
    db::Table{
        .name = "agent_registry_enrollment_tokens",
        .growth = db::Growth::growing,
        .kept_for = kExpiredTokensKeptFor,
        .rows_max = kEndedTokensKept,
        .kept = "{time} after expiry, {rows} ended ones of a tenant",
        .pruner = "agent_registry.prune_tokens",
    },
    db::Table{
        .name = "agent_registry_replicas",
        .growth = db::Growth::bounded,
        .kept = "one for each replica; gone when another finds it dead",
    },
    db::Table{
        .name = "agent_registry_server",
        .growth = db::Growth::bounded,
        .kept = "one row",
    },
};
constexpr std::array<TaskInfo, 3> kTasks{{
    {"agent_registry.flush_presence", std::chrono::seconds{1}},
    {"agent_registry.prune_tokens", std::chrono::hours{1}, Replicas::one},
    {"agent_registry.prune_removed", std::chrono::hours{1}, Replicas::one},
}};
constexpr std::chrono::seconds kBudget{10};
constexpr std::size_t kReplicaSize = 16;
constexpr db::SystemScope kLoad{"agent_registry.load"};

const ServiceManifest kManifest{
    .name = "agent-registry-service",
    .port = 8002,
    .prefixes = kPrefixes,
    .table_prefix = "agent_registry_",
    .migrations = kMigrations,
    .queries = AgentStore::queries(),
    .tables = kTables,
    .tasks = kTasks,
};

}  // namespace

struct AgentRegistryModule::Impl {
    Impl(
        const Platform& platform, db::Database& db, const Directories& directories,
        const Trust& trust, Peers peers
    )
        : clock(platform.clock),
          random(platform.random),
          tasks(platform.tasks),
          leased(platform.leased(db)),
          database(db),
          vms(directories.vms),
          presence(platform.clock, platform.random.base62(kReplicaSize)),
          enrollment({db, platform.clock, platform.random, directories.vms, directories.tenants,
                      presence, trust}),
          heartbeats({db, platform.clock, platform.random, platform.metrics, platform.parking,
                      directories.vms, presence, enrollment.incarnation()}),
          inventory({db, platform.clock, directories.vms}),
          agents({db, platform.clock, platform.random, directories.vms, presence}),
          keys({db, platform.clock, platform.random, presence, trust.issuer}),
          purge(db, platform.clock, agents) {
        if (peers == Peers::possible)
            custody.emplace(Custody::Parts{db, platform.clock, presence});
    }

    // Whatever becomes of it, what this replica hears is written.
    void renew_custody(bool is_due) {
        if (!custody || !is_due) return;
        renew_at = clock.steady_now() + Custody::kRenewEvery;
        std::string why;
        try {
            const auto renewed = custody->renew(call("agent_registry.renew_custody"));
            if (renewed) return;
            why = renewed.error().code;
        } catch (const std::exception& error) {
            why = error.what();
        }
        log_warning("custody of agents not renewed, will be again", {{"error", why}});
    }

    Call call(std::string name) {
        return Call::system(std::move(name), Deadline::after(clock, kBudget));
    }

    const Clock& clock;
    Random& random;
    TaskBook& tasks;
    const leases::LeasedTask::Parts leased;
    db::Database& database;
    vm_registry::VmDirectory& vms;
    PresenceBook presence;
    Enrollment enrollment;
    Heartbeats heartbeats;
    InventoryReports inventory;
    Agents agents;
    AgentKeys keys;
    AgentPurge purge;
    std::optional<Custody> custody{};
    SteadyTime renew_at{};  // the flusher's thread only
    std::optional<PeriodicTask> flusher{};
    std::optional<leases::LeasedTask> token_pruner{};
    std::optional<leases::LeasedTask> agent_pruner{};
};

AgentRegistryModule::AgentRegistryModule(
    const Platform& platform, db::Database& database, const Directories& directories,
    const Trust& trust, Peers peers
)
    : impl_(new Impl{platform, database, directories, trust, peers}) {
    impl_->vms.on_watched([this](const VmId& vm) {
        impl_->heartbeats.wake(AgentId::derived_from(vm));
    });
    impl_->vms.set_last_seen_source([this](const VmId& vm) {
        return impl_->presence.last_seen(AgentId::derived_from(vm));
    });
    impl_->agents.on_doubted([this](const AgentId& agent) { impl_->heartbeats.wake(agent); });
    impl_->keys.on_wanted([this](const AgentId& agent) { impl_->heartbeats.wake(agent); });
    platform.wakeups.on(kAgentRemoved, [this](std::string_view text) {
        if (const auto agent = AgentId::parse(text)) impl_->agents.forget(*agent);
    });
    platform.wakeups.on(kKeyReplaced, [this](std::string_view text) {
        if (const auto agent = AgentId::parse(text)) impl_->agents.doubt(*agent);
    });
    platform.wakeups.on(kKeyWanted, [this](std::string_view text) {
        if (const auto agent = AgentId::parse(text)) impl_->keys.note_wanted(*agent);
    });
}

AgentRegistryModule::~AgentRegistryModule() = default;

AgentDirectory& AgentRegistryModule::directory() { return impl_->agents; }

TenantPurge& AgentRegistryModule::purge() { return impl_->purge; }

const ServiceManifest& AgentRegistryModule::manifest() const { return kManifest; }

void AgentRegistryModule::mount(api::Router& router) {
    mount_routes(
        router, impl_->enrollment, impl_->heartbeats, impl_->agents, impl_->keys, impl_->inventory
    );
}

void AgentRegistryModule::start() {
    const auto now = impl_->clock.now();
    const auto fresh = make_ulid(now, impl_->random);
    const auto call = impl_->call("agent_registry.start");
    std::string incarnation;
    std::vector<AgentRow> agents;
    const auto loaded = impl_->database.write(
        kLoad, call, [&](db::Session& session) -> Result<Done> {
            AgentStore store{session};
            incarnation = store.get_or_set_incarnation(fresh, now);
            if (!impl_->custody) agents = store.list_all();
            return Done{};
        }
    );
    loaded.value();
    impl_->enrollment.set_incarnation(incarnation);
    impl_->presence.load(agents);
    if (impl_->custody) impl_->custody->renew(call).value();
    impl_->renew_at = impl_->clock.steady_now() + Custody::kRenewEvery;
    // Before the first request: nothing that was online before the start is shown so.
    impl_->heartbeats.flush(call);
    impl_->flusher.emplace(kTasks[0], impl_->tasks, [this] {
        impl_->renew_custody(impl_->clock.steady_now() >= impl_->renew_at);
        impl_->heartbeats.flush(impl_->call("agent_registry.flush_presence"));
        return TaskRun::done;
    });
    impl_->heartbeats.on_change([this] { impl_->flusher->hurry(); });
    const auto prune_tokens = [this](const leases::Lease& lease) -> Result<Done> {
        impl_->enrollment.prune_tokens(impl_->call(lease.name));
        return Done{};
    };
    impl_->token_pruner.emplace(kTasks[1], impl_->leased, prune_tokens);
    const auto prune_removed = [this](const leases::Lease& lease) -> Result<Done> {
        SYNAPSEX_CHECK(impl_->agents.prune_removed(impl_->call(lease.name)));
        return Done{};
    };
    impl_->agent_pruner.emplace(kTasks[2], impl_->leased, prune_removed);
}

void AgentRegistryModule::stop() {
    if (!impl_->flusher) return;
    impl_->agent_pruner.reset();
    impl_->token_pruner.reset();
    impl_->heartbeats.on_change(nullptr);
    impl_->flusher.reset();
    const auto call = impl_->call("agent_registry.stop");
    impl_->heartbeats.flush(call);
    if (!impl_->custody) return;
    try {
        (void)impl_->custody->leave(call);
    } catch (const std::exception& error) {
        // It ends by itself.
        log_warning("custody of agents not given up", {{"error", error.what()}});
    }
}

}  // namespace synapsex::agent_registry
