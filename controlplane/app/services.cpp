#include "controlplane/app/services.hpp"

#include <ranges>

#include "controlplane/platform/db/database_url.hpp"
#include "controlplane/platform/leases/migrations.hpp"
#include "controlplane/platform/leases/work_items.hpp"

namespace synapsex::app {

namespace {

// "agent-registry-service" -> "agent_registry": the folder, and the name in settings.
std::string folder_of(std::string_view name) {
    std::string folder{name.substr(0, name.rfind("-service"))};
    for (char& c : folder)
        if (c == '-') c = '_';
    return folder;
}

auth::AuthSettings auth_settings(const Config& config, const Identity& identity) {
    return {
        .issuer = identity.issuer,
        .is_registration_open = config.is_registration_open,
        .signing_key = identity.signing_key,
    };
}

// A task that fails is told of, and does not take the server away from those who call it.
Readiness readiness_of(const TaskReport& task) {
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

db::Database& Databases::of(const std::string& service) {
    const auto options = db::parse_database_url(config_.database_url_of(service));
    if (!options) throw StartRefused("database of " + service + ": " + options.error().detail);
    if (const auto* sqlite = std::get_if<db::SqliteOptions>(&*options)) {
        auto& database = by_place_[db::resolve_path(sqlite->path)];
        if (!database) database = db::open_sqlite(*sqlite, clock_, metrics_);
        return *database;
    }
    const auto& postgres = std::get<db::PostgresOptions>(*options);
    auto& database = by_place_[postgres.url];
    if (!database) database = db::open_postgres(postgres, clock_, random_, metrics_);
    return *database;
}

void Databases::migrate(std::span<Module* const> modules) {
    std::map<db::Database*, std::vector<db::ServiceMigrations>> by_database;
    for (const auto& [place, database] : by_place_)
        by_database[database.get()].push_back({"platform.leases", leases::kMigrations});
    for (const auto* module : modules) {
        const auto& manifest = module->manifest();
        if (manifest.migrations.empty()) continue;
        const db::ServiceMigrations migrations{manifest.name, manifest.migrations};
        by_database[&of(folder_of(manifest.name))].push_back(migrations);
    }
    for (const auto& [database, migrations] : by_database)
        db::migrate(*database, migrations, clock_);
}

Services::Services(
    const Platform& platform, const Config& config, const Identity& identity
)
    : tasks_(platform.tasks),
      databases_(config, platform),
      tenants_(platform, databases_.of("tenant")),
      vms_(platform, databases_.of("vm_registry")),
      agents_(platform, databases_.of("agent_registry"), vms_.directory(), identity.issuer),
      auth_(
          platform, databases_.of("auth"), tenants_.directory(), agents_.directory(),
          auth_settings(config, identity)
      ),
      gateway_({[this] { return readiness(); }, platform.metrics, config.public_url}),
      modules_{&tenants_, &vms_, &agents_, &auth_, &gateway_} {
    agents_.directory().on_removed([this](const AgentId& agent) { auth_.forget_agent(agent); });
    tenants_.directory().on_member_changed([this](const TenantId& tenant, const UserId& user) {
        auth_.forget_member(tenant, user);
    });
}

void Services::prepare(api::Router& router) {
    databases_.migrate(modules_);
    for (auto* module : modules_) {
        const auto& manifest = module->manifest();
        if (!manifest.queries.empty()) {
            auto& database = databases_.of(folder_of(manifest.name));
            database.prepare_all(manifest.queries);
            database.prepare_all(leases::LeaseStore::queries());
            database.prepare_all(leases::WorkItems::queries());
        }
        module->mount(router);
    }
}

void Services::start() {
    for (auto* module : modules_) module->start();
}

void Services::stop() {
    for (auto* module : modules_ | std::views::reverse) module->stop();
}

std::vector<Readiness> Services::readiness() {
    std::vector<Readiness> checks;
    for (auto* module : modules_) {
        const auto& manifest = module->manifest();
        if (!manifest.migrations.empty()) {
            const bool is_healthy = databases_.of(folder_of(manifest.name)).is_healthy();
            checks.push_back(
                {std::string{manifest.name} + ".database", is_healthy,
                 is_healthy ? "answers" : "does not answer"}
            );
        }
        for (auto& check : module->readiness()) checks.push_back(std::move(check));
    }
    for (const auto& task : tasks_.report()) checks.push_back(readiness_of(task));
    return checks;
}

}  // namespace synapsex::app
