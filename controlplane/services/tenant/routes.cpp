#include "controlplane/services/tenant/routes.hpp"

#include "controlplane/platform/api/router.hpp"
#include "controlplane/services/tenant/plan_api.hpp"
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
    auto& standings = tenants.standings();
    router.mount(kListPlans, [&](const Call&, const api::None&) -> Result<PlanList> {
        return standings.list_plans();
    });
    router.mount(kGetTenantPlan, [&](const Call& call, const TenantPath& path) {
        return standings.get_plan(call, path.tenant_id);
    });
    router.mount(kDeleteTenant, [&](const Call& call, const DeleteTenant& wish) {
        return standings.request_deletion(call, wish);
    });
    router.mount(kRestoreTenant, [&](const Call& call, const TenantPath& path) {
        return standings.restore(call, path.tenant_id);
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
