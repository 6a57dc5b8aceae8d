#include "controlplane/services/vm_registry/module.hpp"

#include <array>
#include <optional>

#include "controlplane/platform/periodic_task.hpp"
#include "controlplane/services/vm_registry/migrations.hpp"
#include "controlplane/services/vm_registry/routes.hpp"
#include "controlplane/services/vm_registry/service.hpp"
#include "controlplane/services/vm_registry/store.hpp"

namespace synapsex::vm_registry {

namespace {

constexpr std::array<std::string_view, 1> kPrefixes{"/v1/vms"};
constexpr std::chrono::seconds kPruneInterval{60};
constexpr std::chrono::seconds kPruneBudget{10};

const ServiceManifest kManifest{
    .name = "vm-registry-service",
    .port = 8007,
    .prefixes = kPrefixes,
    .table_prefix = "vm_registry_",
    .migrations = kMigrations,
    .queries = VmStore::queries(),
};

}  // namespace

struct VmRegistryModule::Impl {
    const Clock& clock;
    VmRegistry vms;
    std::optional<PeriodicTask> pruner{};
};

VmRegistryModule::VmRegistryModule(const Platform& platform, db::Database& database)
    : impl_(new Impl{platform.clock, VmRegistry{database, platform.clock, platform.metrics}}) {}
VmRegistryModule::~VmRegistryModule() = default;

VmDirectory& VmRegistryModule::directory() { return impl_->vms; }

const ServiceManifest& VmRegistryModule::manifest() const { return kManifest; }

void VmRegistryModule::mount(api::Router& router) { mount_routes(router, impl_->vms); }

void VmRegistryModule::start() {
    impl_->pruner.emplace("vm_registry.prune_telemetry", kPruneInterval, [this] {
        const auto deadline = Deadline::after(impl_->clock, kPruneBudget);
        impl_->vms.prune(Call::system("vm_registry.prune_telemetry", deadline));
    });
}

void VmRegistryModule::stop() { impl_->pruner.reset(); }

}  // namespace synapsex::vm_registry
