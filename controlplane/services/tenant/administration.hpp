#pragma once

// What no caller of /v1 may do with a tenant: its plan, its limits, and whether it may act. Only
// the local command `tenants` is handed this; who has the server's machine decides.

#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/auth/call.hpp"
#include "controlplane/services/tenant/entitlements.hpp"
#include "shared/base/result.hpp"

namespace synapsex::tenant {

struct AdministeredTenant {
    TenantId id;
    std::string slug;
    std::string name;
    PlanName plan = PlanName::free;
    std::int64_t plan_version = 1;
    TenantState state = TenantState::active;
    std::string state_reason;               // of the last change of the state, as the next two
    std::string state_by;                   // "root (uid 0)", "usr_…"; "": it never changed
    std::optional<Timestamp> state_since;
    std::optional<Timestamp> delete_after;  // only of pending_deletion
    std::int64_t members = 0;
    Timestamp created_at{};
    std::vector<LimitOverride> overrides;   // expired ones too
};
BOOST_DESCRIBE_STRUCT(
    AdministeredTenant, (),
    (id, slug, name, plan, plan_version, state, state_reason, state_by, state_since, delete_after,
     members, created_at, overrides)
)

struct AdministeredTenants {
    std::vector<AdministeredTenant> items;
};
BOOST_DESCRIBE_STRUCT(AdministeredTenants, (), (items))

// What is left of a tenant that was deleted.
struct PurgeCertificate {
    TenantId tenant_id;
    std::string slug;
    Timestamp finished_at{};
    std::string certificate;  // JSON: whose request, when, and how many rows of each table went
    std::string sha256;       // over it, hex
};
BOOST_DESCRIBE_STRUCT(PurgeCertificate, (), (tenant_id, slug, finished_at, certificate, sha256))

struct PurgeCertificates {
    std::vector<PurgeCertificate> items;
};
BOOST_DESCRIBE_STRUCT(PurgeCertificates, (), (items))

struct PlanWish {
    PlanName name = PlanName::free;
    std::optional<std::int64_t> version{};  // nullopt: the newest
    std::string reason;
};

struct LimitWish {
    LimitName name = LimitName::members;
    LimitValue value;
    std::string reason;
    std::optional<Timestamp> expires_at{};
};

// Each change tells every replica, and leaves an event with who made it and why: the call's
// credential_id. `tenant` is an id. Kind::not_found tenants.not_found; Kind::conflict
// tenants.purge_started; Kind::invalid for a reason that is none (tenants.reason_invalid), a plan
// that does not exist (tenants.plan_unknown), a limit out of its range (tenants.limit_invalid).
class TenantAdministration {
 public:
    virtual ~TenantAdministration() = default;

    // By slug, after `after` ("" from the start), at most `limit`; without overrides.
    virtual Result<std::vector<AdministeredTenant>> list(
        const Call& call, std::string_view after, std::int64_t limit
    ) = 0;
    virtual Result<AdministeredTenant> find(const Call& call, std::string_view id_or_slug) = 0;

    virtual Result<AdministeredTenant> set_plan(
        const Call& call, const TenantId& tenant, const PlanWish& wish
    ) = 0;
    virtual Result<AdministeredTenant> set_limit(
        const Call& call, const TenantId& tenant, const LimitWish& wish
    ) = 0;
    // Repeatable.
    virtual Result<AdministeredTenant> clear_limit(
        const Call& call, const TenantId& tenant, LimitName name, const std::string& reason
    ) = 0;
    // From every state; a deletion that was pending is off then.
    virtual Result<AdministeredTenant> suspend(
        const Call& call, const TenantId& tenant, const std::string& reason
    ) = 0;
    // Active again, whatever it was.
    virtual Result<AdministeredTenant> resume(
        const Call& call, const TenantId& tenant, const std::string& reason
    ) = 0;

    // By tenant id, after `after` ("" from the start), at most `limit`.
    virtual Result<std::vector<PurgeCertificate>> list_certificates(
        const Call& call, std::string_view after, std::int64_t limit
    ) = 0;
};

}  // namespace synapsex::tenant
