#include "controlplane/services/vm_registry/purge.hpp"

#include "controlplane/services/vm_registry/store.hpp"

namespace synapsex::vm_registry {

namespace {
constexpr std::int64_t kBatch = 20;
}  // namespace

Result<std::vector<TableCount>> VmPurge::count_rows(
    const Call& call, const TenantId& tenant
) {
    return database_.read(
        call.of_tenant(tenant),
        [&](db::Session& session) -> Result<std::vector<TableCount>> {
            return VmStore{session}.count_rows(tenant);
        }
    );
}

Result<Done> VmPurge::remove_rows(const Call& call, const TenantId& tenant) {
    const auto in_tenant = call.of_tenant(tenant);
    const auto list = [&](db::Session& session) -> Result<std::vector<VmRow>> {
        return VmStore{session}.list(tenant, {}, kBatch);
    };
    for (;;) {
        SYNAPSEX_TRY(const auto vms, database_.read(in_tenant, list));
        if (vms.empty()) break;
        for (const auto& vm : vms) {
            const auto remove = [&](db::Session& session) -> Result<Done> {
                VmStore{session}.remove(tenant, vm.vm_id);
                return Done{};
            };
            SYNAPSEX_CHECK(database_.write(in_tenant, remove));
        }
    }
    // Of VMs that were removed while they reported.
    return database_.write(in_tenant, [&](db::Session& session) -> Result<Done> {
        VmStore{session}.remove_rows(tenant);
        return Done{};
    });
}

}  // namespace synapsex::vm_registry
