#pragma once

// /v1/tenants: tenants and their members.

#include <optional>
#include <string>

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/api/page.hpp"
#include "controlplane/platform/auth/standing.hpp"
#include "controlplane/services/tenant/plans.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/time.hpp"

namespace synapsex::tenant {

using TenantName = Name<1, 100>;
using Slug = Text<2, 40>;  // [a-z0-9] and single hyphens inside: checked by the service

struct Tenant {
    TenantId id;
    std::string slug;
    std::string name;
    auth::Role role = auth::Role::viewer;
    PlanName plan = PlanName::free;
    TenantState state = TenantState::active;
    Timestamp created_at{};
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(Tenant, (), (id, slug, name, role, plan, state, created_at, updated_at))

struct Member {
    UserId user_id;
    auth::Role role = auth::Role::viewer;
    Timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(Member, (), (user_id, role, created_at))

struct ListTenants {
    api::PageLimit limit;
    std::optional<api::Cursor> cursor;
};
BOOST_DESCRIBE_STRUCT(ListTenants, (), (limit, cursor))

struct CreateTenant {
    TenantName name;
    std::optional<Slug> slug;
};
BOOST_DESCRIBE_STRUCT(CreateTenant, (), (name, slug))

struct TenantPath {
    TenantId tenant_id;
};
BOOST_DESCRIBE_STRUCT(TenantPath, (), (tenant_id))

struct UpdateTenant {
    TenantId tenant_id;
    std::optional<TenantName> name;
};
BOOST_DESCRIBE_STRUCT(UpdateTenant, (), (tenant_id, name))

struct ListMembers {
    TenantId tenant_id;
    api::PageLimit limit;
    std::optional<api::Cursor> cursor;
};
BOOST_DESCRIBE_STRUCT(ListMembers, (), (tenant_id, limit, cursor))

struct AddMember {
    TenantId tenant_id;
    UserId user_id;
    auth::Role role = auth::Role::viewer;
};
BOOST_DESCRIBE_STRUCT(AddMember, (), (tenant_id, user_id, role))

struct ChangeMember {
    TenantId tenant_id;
    UserId user_id;
    auth::Role role = auth::Role::viewer;
};
BOOST_DESCRIBE_STRUCT(ChangeMember, (), (tenant_id, user_id, role))

struct MemberPath {
    TenantId tenant_id;
    UserId user_id;
};
BOOST_DESCRIBE_STRUCT(MemberPath, (), (tenant_id, user_id))

struct TenantPage {
    std::vector<Tenant> items;
    std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(TenantPage, (), (items, next_cursor))

struct MemberPage {
    std::vector<Member> items;
    std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(MemberPage, (), (items, next_cursor))

}  // namespace synapsex::tenant

// --- what the OpenAPI document says about them ---

template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::Tenant>{
    "A tenant, as one of its members sees it.",
    {{{"id", "The tenant."},
      {"slug", "Its name in URLs and in X-Tenant-Id; unique on this server.", R"("acme-prod")"},
      {"name", "What people call it.", R"("ACME Production")"},
      {"role", "The caller's role in it.", R"("owner")"},
      {"plan", "Its plan.", R"("team")"},
      {"state", "active; suspended and pending_deletion can be read, and not be changed.",
       R"("active")"},
      {"created_at", "When it was made."},
      {"updated_at", "When it was last changed; its members do not count."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::Member>{
    "A user's place in a tenant.",
    {{{"user_id", "The user."},
      {"role", "What the user may do here; each role may all that the ones before it may: viewer, "
               "operator, admin, owner.",
       R"("operator")"},
      {"created_at", "When the user joined."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::ListTenants>{
    "Which page of the caller's tenants.",
    {},
    &synapsex::api::kPageDoc};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::CreateTenant>{
    "A tenant to be made.",
    {{{"name", "What people will call it.", R"("ACME Production")"},
      {"slug",
       "Lower-case letters, digits and single hyphens between them. Left out, it is made from the "
       "name, with a suffix if it is taken.",
       R"("acme-prod")"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::TenantPath>{
    "The tenant that the call acts in.", {{{"tenant_id", "The tenant."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::UpdateTenant>{
    "What to change about the tenant.",
    {{{"tenant_id", "The tenant."},
      {"name", "The new name; left out, it stays.", R"("ACME Production")"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::ListMembers>{
    "Which page of the tenant's members.",
    {{{"tenant_id", "The tenant."}}},
    &synapsex::api::kPageDoc};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::AddMember>{
    "A user to be added to the tenant.",
    {{{"tenant_id", "The tenant."},
      {"user_id", "The user; the one who is to be added tells it (GET /v1/auth/me)."},
      {"role", "What the user may do here. Only an owner makes owners.", R"("operator")"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::ChangeMember>{
    "Another role for a member.",
    {{{"tenant_id", "The tenant."},
      {"user_id", "The member."},
      {"role", "The new role. Only an owner makes or changes owners; the last one stays.",
       R"("admin")"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::MemberPath>{
    "A member of the tenant.", {{{"tenant_id", "The tenant."}, {"user_id", "The member."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::TenantPage>{
    "The caller's tenants, oldest first.",
    {{{"items", "The tenants."}}},
    &synapsex::api::kPageDoc};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::MemberPage>{
    "The tenant's members, by user id.",
    {{{"items", "The members."}}},
    &synapsex::api::kPageDoc};

namespace synapsex::tenant {

inline constexpr api::Operation<ListTenants, TenantPage> kListTenants{
    .id = "tenants.list", .path = "/v1/tenants", .access = auth::signed_in(),
    .summary = "List the tenants that the caller belongs to."};
inline constexpr api::Operation<CreateTenant, Tenant> kCreateTenant{
    .id = "tenants.create", .method = api::Verb::post, .path = "/v1/tenants",
    .access = auth::in_any_standing(auth::without_keys(auth::signed_in())), .success = 201,
    .summary = "Create a tenant and become its owner.",
    .description = "An API key belongs to one tenant and makes no other: it gets 403 "
                   "auth.sign_in_required."};
inline constexpr api::Operation<TenantPath, Tenant> kGetTenant{
    .id = "tenants.get", .path = "/v1/tenants/{tenantId}", .access = auth::user("tenants.read"),
    .summary = "Read the tenant that the call acts in."};
inline constexpr api::Operation<UpdateTenant, Tenant> kUpdateTenant{
    .id = "tenants.update", .method = api::Verb::patch, .path = "/v1/tenants/{tenantId}",
    .access = auth::user("tenants.write"), .summary = "Rename the tenant."};
inline constexpr api::Operation<ListMembers, MemberPage> kListMembers{
    .id = "tenants.members.list", .path = "/v1/tenants/{tenantId}/members",
    .access = auth::user("tenants.read"), .summary = "List the members of the tenant."};
inline constexpr api::Operation<AddMember, Member> kAddMember{
    .id = "tenants.members.add", .method = api::Verb::post,
    .path = "/v1/tenants/{tenantId}/members", .access = auth::user("members.write"),
    .success = 201, .summary = "Add a user to the tenant."};
inline constexpr api::Operation<ChangeMember, Member> kChangeMember{
    .id = "tenants.members.update", .method = api::Verb::patch,
    .path = "/v1/tenants/{tenantId}/members/{userId}", .access = auth::user("members.write"),
    .summary = "Give a member another role."};
inline constexpr api::Operation<MemberPath, api::None> kRemoveMember{
    .id = "tenants.members.remove", .method = api::Verb::delete_,
    .path = "/v1/tenants/{tenantId}/members/{userId}",
    .access = auth::in_any_standing(auth::user("members.write")),
    .replay = api::Replay::natural, .summary = "Remove a member from the tenant."};

}  // namespace synapsex::tenant
