#include "controlplane/services/vm_registry/routes.hpp"

#include "controlplane/services/vm_registry/api.hpp"
#include "controlplane/services/vm_registry/service.hpp"

namespace synapsex::vm_registry {

void mount_routes(api::Router& router, VmRegistry& vms) {
    router.mount(kListVms, [&vms](const Call& call, const ListVms& wish) {
        return vms.list(call, wish);
    });
    router.mount(kGetVm, [&vms](const Call& call, const VmPath& path) {
        return vms.get(call, path);
    });
    router.mount(kListPackages, [&vms](const Call& call, const ListPackages& wish) {
        return vms.list_packages(call, wish);
    });
    router.mount(kGetSignedSection, [&vms](const Call& call, const SectionPath& path) {
        return vms.signed_section(call, path);
    });
    router.mount(kReadTelemetry, [&vms](const Call& call, const ReadTelemetry& wish) {
        return vms.read_telemetry(call, wish);
    });
    router.mount(kWatchVm, [&vms](const Call& call, const WatchVm& wish) {
        return vms.watch(call, wish);
    });
}

}  // namespace synapsex::vm_registry
