#include "controlplane/services/tenant/routes.hpp"

#include "controlplane/platform/api/router.hpp"
#include "controlplane/services/tenant/service.hpp"

namespace synapsex::tenant {

void mount_routes(api::Router& router, TenantService& tenants) {
    router.mount(kListTenants, [&](const Call& call, const ListTenants& wish) {
        return tenants.list(call, wish);
    });
    router.mount(kCreateTenant, [&](const Call& call, const CreateTenant& wish) {
        return tenants.create(call, wish);
    });
    router.mount(kGetTenant, [&](const Call& call, const TenantPath& path) {
        return tenants.get(call, path.tenant_id);
    });
    router.mount(kUpdateTenant, [&](const Call& call, const UpdateTenant& wish) {
        return tenants.update(call, wish);
    });
    router.mount(kListMembers, [&](const Call& call, const ListMembers& wish) {
        return tenants.list_members(call, wish);
    });
    router.mount(kAddMember, [&](const Call& call, const AddMember& wish) {
        return tenants.add_member(call, wish);
    });
    router.mount(kChangeMember, [&](const Call& call, const ChangeMember& wish) {
        return tenants.change_member(call, wish);
    });
    router.mount(
        kRemoveMember,
        [&](const Call& call, const MemberPath& path) -> Result<api::None> {
            SYNAPSEX_CHECK(tenants.remove_member(call, path));
            return api::None{};
        }
    );
}

}  // namespace synapsex::tenant
