#include "controlplane/services/tenant/api.hpp"

#include "controlplane/platform/api/codec_impl.hpp"
#include "controlplane/services/tenant/administration.hpp"
#include "controlplane/services/tenant/plan_api.hpp"

namespace synapsex::api {

template struct Codec<tenant::ListTenants>;
template struct Codec<tenant::TenantPage>;
template struct Codec<tenant::CreateTenant>;
template struct Codec<tenant::Tenant>;
template struct Codec<tenant::TenantPath>;
template struct Codec<tenant::UpdateTenant>;
template struct Codec<tenant::ListMembers>;
template struct Codec<tenant::MemberPage>;
template struct Codec<tenant::AddMember>;
template struct Codec<tenant::Member>;
template struct Codec<tenant::ChangeMember>;
template struct Codec<tenant::MemberPath>;
template struct Codec<tenant::PlanList>;
template struct Codec<tenant::TenantPlan>;
template struct Codec<tenant::DeleteTenant>;
// What the local command `tenants` prints.
template struct Codec<tenant::AdministeredTenant>;
template struct Codec<tenant::AdministeredTenants>;
template struct Codec<tenant::PurgeCertificates>;

}  // namespace synapsex::api
