#include "controlplane/services/vm_registry/module.hpp"

#include <array>
#include <optional>

#include "controlplane/services/vm_registry/migrations.hpp"
#include "controlplane/services/vm_registry/purge.hpp"
#include "controlplane/services/vm_registry/routes.hpp"
#include "controlplane/services/vm_registry/service.hpp"
#include "controlplane/services/vm_registry/store.hpp"

namespace synapsex::vm_registry {

namespace {

constexpr std::array<std::string_view, 1> kPrefixes{"/v1/vms"};
constexpr std::array kTables{
    db::Table{
        .name = "vm_registry_vms",
        .growth = db::Growth::bounded,
        .kept = "one for each VM",
    },
    db::Table{
        .name = "vm_registry_sections",
        .growth = db::Growth::bounded,
        .kept = "seven for each VM",
    },
    db::Table{
        .name = "vm_registry_chunks",
        .growth = db::Growth::growing,
        .kept_for = kTelemetryRetention,
        .kept = "{time} back from the newest sample",
        .pruner = "vm_registry.prune_telemetry",
    },
};
constexpr std::array<TaskInfo, 1> kTasks{
    {{"vm_registry.prune_telemetry", std::chrono::seconds{60}, Replicas::one}}
};
constexpr std::chrono::seconds kPruneBudget{10};

const ServiceManifest kManifest{
    .name = "vm-registry-service",
    .port = 8007,
    .prefixes = kPrefixes,
    .table_prefix = "vm_registry_",
    .migrations = kMigrations,
    .queries = VmStore::queries(),
    .tables = kTables,
    .tasks = kTasks,
};

}  // namespace

struct VmRegistryModule::Impl {
    const Platform platform;
    db::Database& database;
    VmRegistry vms{database, platform.clock, platform.metrics};
    VmPurge purge{database};
    std::optional<leases::LeasedTask> pruner{};
};

VmRegistryModule::VmRegistryModule(const Platform& platform, db::Database& database)
    : impl_(new Impl{platform, database}) {}
VmRegistryModule::~VmRegistryModule() = default;

VmDirectory& VmRegistryModule::directory() { return impl_->vms; }

TenantPurge& VmRegistryModule::purge() { return impl_->purge; }

const ServiceManifest& VmRegistryModule::manifest() const { return kManifest; }

void VmRegistryModule::mount(api::Router& router) { mount_routes(router, impl_->vms); }

void VmRegistryModule::start() {
    const auto prune = [this](const leases::Lease& lease) -> Result<Done> {
        const auto deadline = Deadline::after(impl_->platform.clock, kPruneBudget);
        impl_->vms.prune(Call::system(lease.name, deadline));
        return Done{};
    };
    impl_->pruner.emplace(kTasks[0], impl_->platform.leased(impl_->database), prune);
}

void VmRegistryModule::stop() { impl_->pruner.reset(); }

}  // namespace synapsex::vm_registry
