#include "controlplane/services/tenant/module.hpp"

#include <array>

#include "controlplane/services/tenant/migrations.hpp"
#include "controlplane/services/tenant/routes.hpp"
#include "controlplane/services/tenant/service.hpp"
#include "controlplane/services/tenant/store.hpp"

namespace synapsex::tenant {

namespace {

constexpr std::array<std::string_view, 2> kPrefixes{"/v1/plans", "/v1/tenants"};
constexpr std::array kTables{
    db::Table{
        .name = "tenant_tenants",
        .growth = db::Growth::bounded,
        .kept = "one for each tenant",
    },
    db::Table{
        .name = "tenant_members",
        .growth = db::Growth::bounded,
        .kept = "one for each user in each tenant",
    },
    db::Table{
        .name = "tenant_limits",
        .growth = db::Growth::bounded,
        .kept = "at most one for each tenant and limit",
    },
    db::Table{
        .name = "tenant_purges",
        .growth = db::Growth::bounded,
        .kept = "one for each tenant that was deleted, for good",
    },
    db::Table{
        .name = "tenant_purge_counts",
        .growth = db::Growth::bounded,
        .kept = "one for each table of tenants and each of those",
    },
};

constexpr std::array<TaskInfo, 1> kTasks{
    {{"tenant.purge", std::chrono::seconds{60}, Replicas::one}}
};
constexpr std::chrono::minutes kPurgeBudget{10};

}  // namespace

TenantModule::TenantModule(
    const Platform& platform, db::Database& database, PlanName default_plan
)
    : platform_(platform),
      database_(database),
      service_(std::make_unique<TenantService>(
          database, platform.clock, platform.random, default_plan
      )) {
    platform.wakeups.on(kStandingChanged, [service = service_.get()](std::string_view text) {
        service->standings().repeat_changed(text);
    });
    platform.wakeups.on(kMemberChanged, [service = service_.get()](std::string_view text) {
        service->repeat_member_changed(text);
    });
}

TenantModule::~TenantModule() = default;

TenantDirectory& TenantModule::directory() { return *service_; }

TenantRecovery& TenantModule::recovery() { return *service_; }

TenantAdministration& TenantModule::administration() { return service_->standings(); }

const ServiceManifest& TenantModule::manifest() const {
    static const ServiceManifest manifest{
        .name = "tenant-service",
        .port = 8019,
        .prefixes = kPrefixes,
        .table_prefix = "tenant_",
        .migrations = kMigrations,
        .queries = TenantStore::queries(),
        .tables = kTables,
        .tasks = kTasks,
    };
    return manifest;
}

void TenantModule::purge_with(std::vector<TenantPurge*> services) {
    service_->purges().set_services(std::move(services));
}

void TenantModule::start() {
    const auto purge = [this](const leases::Lease& lease) -> Result<Done> {
        const auto deadline = Deadline::after(platform_.clock, kPurgeBudget);
        return service_->purges().run(Call::system(lease.name, deadline));
    };
    purger_.emplace(kTasks[0], platform_.leased(database_), purge);
}

void TenantModule::stop() { purger_.reset(); }

void TenantModule::mount(api::Router& router) { mount_routes(router, *service_); }

}  // namespace synapsex::tenant
