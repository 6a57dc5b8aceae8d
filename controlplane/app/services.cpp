#include "controlplane/app/services.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <variant>

#include "controlplane/platform/db/database_url.hpp"

#include "shared/base/describe.hpp"

namespace synapsex::app {

namespace {

auth::AuthSettings auth_settings(const Config& config, const Identity& identity) {
    return {
        .issuer = identity.issuer,
        .is_registration_open = config.is_registration_open,
        .signing_keys = identity.access_token_keys,
    };
}

// A SQLite file has one process at a time.
agent_registry::Peers peers_of(const Config& config) {
    const auto options = db::parse_database_url(config.database_url_of("agent_registry"));
    const bool is_file = options && std::holds_alternative<db::SqliteOptions>(*options);
    return is_file ? agent_registry::Peers::none : agent_registry::Peers::possible;
}

Readiness database_readiness(std::string_view service, db::Database& database) {
    const bool is_healthy = database.is_healthy();
    std::string detail = is_healthy ? "answers" : "does not answer";
    if (database.room() != db::Room::plenty)
        detail += "; room on its disk is " + std::string{enum_name(database.room())};
    return {std::string{service} + ".database", is_healthy, std::move(detail)};
}

// A task that fails is told of, and does not take the server away from those who call it.
Readiness task_readiness(const TaskReport& task) {
    std::string detail = "has not run yet";
    if (!task.is_ours)
        detail = "runs in another replica";
    else if (task.failing_since)
        detail = "fails since " + format_rfc3339(*task.failing_since);
    else if (task.succeeded_at)
        detail = "succeeded at " + format_rfc3339(*task.succeeded_at);
    return {"task " + std::string{task.info.name}, true, std::move(detail)};
}

}  // namespace

Services::Services(
    const Platform& platform, const Config& config, const Identity& identity
)
    : tasks_(platform.tasks),
      databases_(config, platform),
      tenants_(platform, databases_.of("tenant"), config.default_plan),
      vms_(platform, databases_.of("vm_registry")),
      agents_(
          platform, databases_.of("agent_registry"),
          agent_registry::Directories{vms_.directory(), tenants_.directory()},
          agent_registry::Trust{identity.issuer, identity.authority_pin, identity.prove_time},
          peers_of(config)
      ),
      auth_(
          platform, databases_.of("auth"), tenants_.directory(), agents_.directory(),
          auth_settings(config, identity)
      ),
      audit_(platform, databases_.of("audit")),
      gateway_(
          {[this] { return readiness(); }, platform.metrics, config.public_url}, platform.clock,
          config.address_requests_per_minute
      ),
      modules_{&tenants_, &vms_, &agents_, &auth_, &audit_, &gateway_} {
    agents_.directory().on_doubted([this](const AgentId& agent) { auth_.forget_agent(agent); });
    tenants_.directory().on_member_changed([this](const TenantId& tenant, const UserId& user) {
        auth_.forget_member(tenant, user);
    });
    tenants_.purge_with({&auth_.purge(), &agents_.purge(), &vms_.purge()});
    tenants_.directory().on_standing_changed([this](const TenantId& tenant) {
        auth_.forget_tenant(tenant);
    });
}

std::vector<TableOwner> Services::table_owners() const {
    std::vector<TableOwner> owners;
    for (const auto& part : HostedDatabase::parts()) {
        const std::string_view prefix = part.migrations.empty() ? "schema_" : "platform_";
        owners.push_back({part.name, prefix, part.tables, HostedDatabase::tasks()});
    }
    for (const auto* module : modules_) {
        const auto& manifest = module->manifest();
        if (manifest.tables.empty()) continue;
        owners.push_back({manifest.name, manifest.table_prefix, manifest.tables, manifest.tasks});
    }
    return owners;
}

void Services::prepare(api::Router& router) {
    databases_.prepare(modules_);
    for (auto* module : modules_) mount(*module, router);
}

void Services::mount(Module& module, api::Router& router) {
    const auto& manifest = module.manifest();
    const bool has_database = !manifest.migrations.empty();
    router.keep_answers_in(
        has_database ? &databases_.hosted(folder_of(manifest.name)).answers() : nullptr
    );
    module.mount(router);
}

void Services::start() {
    std::vector<outbox::Consumer*> consumers;
    for (auto* module : modules_)
        std::ranges::copy(module->consumers(), std::back_inserter(consumers));
    databases_.start(consumers);
    for (auto* module : modules_) module->start();
    databases_.start_relays();
}

void Services::stop() {
    databases_.stop_relays();
    for (auto* module : modules_ | std::views::reverse) module->stop();
    databases_.stop();
}

std::vector<Readiness> Services::readiness_of(Module& module) {
    std::vector<Readiness> checks;
    const auto& manifest = module.manifest();
    if (!manifest.migrations.empty())
        checks.push_back(
            database_readiness(manifest.name, databases_.of(folder_of(manifest.name)))
        );
    for (auto& check : module.readiness()) checks.push_back(std::move(check));
    return checks;
}

std::vector<Readiness> Services::readiness() {
    std::vector<Readiness> checks;
    for (auto* module : modules_)
        for (auto& check : readiness_of(*module)) checks.push_back(std::move(check));
    for (const auto& task : tasks_.report()) checks.push_back(task_readiness(task));
    return checks;
}

}  // namespace synapsex::app
