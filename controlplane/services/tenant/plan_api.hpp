#pragma once

// /v1/plans and /v1/tenants/{tenantId}/plan: what tenants may use; and the end of a tenant.

#include <optional>
#include <string>
#include <vector>

#include "controlplane/services/tenant/api.hpp"

namespace synapsex::tenant {

struct PlanLimits {
    LimitValue members;
    LimitValue vms;
    LimitValue keys;
    LimitValue requests_per_minute;
    LimitValue calls_per_month;
    LimitValue tokens_per_day;
};
BOOST_DESCRIBE_STRUCT(
    PlanLimits, (), (members, vms, keys, requests_per_minute, calls_per_month, tokens_per_day)
)

struct PlanView {
    PlanName name = PlanName::free;
    std::int64_t version = 1;
    PlanLimits limits;
};
BOOST_DESCRIBE_STRUCT(PlanView, (), (name, version, limits))

struct PlanList {
    std::vector<PlanView> items;
};
BOOST_DESCRIBE_STRUCT(PlanList, (), (items))

enum class LimitSource { plan, override_ };
BOOST_DESCRIBE_ENUM(LimitSource, plan, override_)

struct EffectiveLimit {
    LimitName name = LimitName::members;
    LimitValue value;
    LimitSource source = LimitSource::plan;
    std::optional<std::string> reason;
    std::optional<Timestamp> expires_at;
    std::optional<std::int64_t> used;
};
BOOST_DESCRIBE_STRUCT(EffectiveLimit, (), (name, value, source, reason, expires_at, used))

struct TenantPlan {
    TenantId tenant_id;
    PlanName plan = PlanName::free;
    std::int64_t plan_version = 1;
    TenantState state = TenantState::active;
    std::optional<std::string> reason;
    std::optional<Timestamp> delete_after;
    std::vector<EffectiveLimit> limits;
};
BOOST_DESCRIBE_STRUCT(
    TenantPlan, (), (tenant_id, plan, plan_version, state, reason, delete_after, limits)
)

struct DeleteTenant {
    TenantId tenant_id;
    Slug confirm;
};
BOOST_DESCRIBE_STRUCT(DeleteTenant, (), (tenant_id, confirm))

}  // namespace synapsex::tenant

// --- what the OpenAPI document says about them ---

template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::PlanLimits>{
    "What a plan allows; null is unlimited.",
    {{{"members", "Members of the tenant; at most 1000 whatever the plan says.", "25"},
      {"vms", "VMs of the tenant.", "100"},
      {"keys", "API keys of one user in the tenant; at most 100 whatever the plan says.", "25"},
      {"requests_per_minute", "Of the tenant's users and API keys together.", "1200"},
      {"calls_per_month", "Calls of the same, in a month of UTC.", "1000000"},
      {"tokens_per_day", "Tokens of models, in and out, in a day of UTC.", "2000000"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::PlanView>{
    "A plan.",
    {{{"name", "The plan.", R"("pro")"},
      {"version", "Counts up when its numbers change; tenants keep the one that they have.", "1"},
      {"limits", "What it allows."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::PlanList>{
    "The plans, smallest first.", {{{"items", "The plans."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::EffectiveLimit>{
    "A limit as it is now.",
    {{{"name", "What is limited; see GET /v1/plans.", R"("vms")"},
      {"value", "How much at most; null: unlimited.", "100"},
      {"source", "plan, or override: said of this tenant alone.", R"("plan")"},
      {"reason", "Of an override: why.", R"("trial until the contract is signed")"},
      {"expires_at", "Of an override: when the plan's limit counts again; null: never."},
      {"used", "How much is used, where tenant-service knows it; else null.", "7"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::TenantPlan>{
    "What a tenant may use, and how it stands.",
    {{{"tenant_id", "The tenant."},
      {"plan", "Its plan.", R"("pro")"},
      {"plan_version", "The version of the plan that it has.", "1"},
      {"state", "active; suspended and pending_deletion can be read, and not be changed.",
       R"("active")"},
      {"reason", "Of a suspension: why.", R"("unpaid invoices")"},
      {"delete_after", "Of a pending deletion: when the tenant may be gone."},
      {"limits", "Its limits."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::tenant::DeleteTenant>{
    "The tenant to be deleted.",
    {{{"tenant_id", "The tenant."},
      {"confirm", "Its slug, so that nobody deletes another one than they mean.",
       R"("acme-prod")"}}}
};

namespace synapsex::tenant {

inline constexpr api::Operation<api::None, PlanList> kListPlans{
    .id = "plans.list", .path = "/v1/plans", .access = auth::signed_in(),
    .summary = "List the plans, and what each allows.",
    .description = "In the version that a tenant would get now. One that has an older version "
                   "keeps it: GET /v1/tenants/{tenantId}/plan."};
inline constexpr api::Operation<TenantPath, TenantPlan> kGetTenantPlan{
    .id = "tenants.plan.get", .path = "/v1/tenants/{tenantId}/plan",
    .access = auth::user("tenants.read"),
    .summary = "Read what the tenant may use, and how it stands."};
inline constexpr api::Operation<DeleteTenant, TenantPlan> kDeleteTenant{
    .id = "tenants.delete", .method = api::Verb::delete_, .path = "/v1/tenants/{tenantId}",
    .access = auth::in_any_standing(auth::without_keys(auth::user("tenants.write"))),
    .success = 202, .replay = api::Replay::natural,
    .summary = "Have the tenant deleted, 30 days from now.",
    .description = "Until then it can be read, nothing in it can be changed, and an owner may take "
                   "it back (POST …/restore). Its agents go on reporting. Asking again does not "
                   "move the day. Owners only, and no API key."};
inline constexpr api::Operation<TenantPath, TenantPlan> kRestoreTenant{
    .id = "tenants.restore", .method = api::Verb::post, .path = "/v1/tenants/{tenantId}/restore",
    .access = auth::in_any_standing(auth::without_keys(auth::user("tenants.write"))),
    .replay = api::Replay::natural, .summary = "Take back that the tenant is to be deleted.",
    .description = "Owners only, and no API key. Of an active tenant it changes nothing."};

}  // namespace synapsex::tenant
