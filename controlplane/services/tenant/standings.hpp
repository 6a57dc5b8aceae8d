#pragma once

// How tenants stand: what each may use, and whether it may act.
//
//             suspend                    ask for deletion (an owner)
//   active ──────────────▶ suspended    active ─────────────▶ pending_deletion ──▶ purged
//      ▲       resume          │           ▲     restore             │    30 days
//      └───────────────────────┘           └─────────────────────────┘
//
// A suspension takes a pending deletion back, and nobody but who suspended ends it.

#include <functional>
#include <string_view>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/wakeups/wakeups.hpp"
#include "controlplane/services/tenant/administration.hpp"
#include "controlplane/services/tenant/plan_api.hpp"
#include "shared/base/random.hpp"

namespace synapsex::tenant {

class TenantStore;
struct StateChange;

// How long an owner may take a deletion back.
inline constexpr std::chrono::days kDeletionGrace{30};

// "ten_…": its state, plan or limits were changed.
inline constexpr wakeups::Topic kStandingChanged{"tenant.standing_changed"};

class Standings final : public TenantAdministration {
 public:
    Standings(db::Database& database, const Clock& clock, Random& random)
        : database_(database), clock_(clock), random_(random) {}

    // The operations of api.hpp. A tenant in the path has to be the one that the call acts in.
    PlanList list_plans() const;
    Result<TenantPlan> get_plan(const Call& call, const TenantId& tenant);
    // Both are judged by the role stored at that moment, and repeatable: who asks again gets the
    // same day. 403 tenants.suspended while it is.
    Result<TenantPlan> request_deletion(const Call& call, const DeleteTenant& wish);
    Result<TenantPlan> restore(const Call& call, const TenantId& tenant);

    // As in TenantDirectory.
    Result<Standing> get_standing(const Call& call, const TenantId& tenant);
    Result<TenantLimits> get_limits(const Call& call, const TenantId& tenant);
    void on_changed(std::function<void(const TenantId&)> callback);
    // What another process said of kStandingChanged.
    void repeat_changed(std::string_view text) const;

    // TenantAdministration
    Result<std::vector<AdministeredTenant>> list(
        const Call& call, std::string_view after, std::int64_t limit
    ) override;
    Result<AdministeredTenant> find(const Call& call, std::string_view id_or_slug) override;
    Result<AdministeredTenant> set_plan(
        const Call& call, const TenantId& tenant, const PlanWish& wish
    ) override;
    Result<AdministeredTenant> set_limit(
        const Call& call, const TenantId& tenant, const LimitWish& wish
    ) override;
    Result<AdministeredTenant> clear_limit(
        const Call& call, const TenantId& tenant, LimitName name, const std::string& reason
    ) override;
    Result<AdministeredTenant> suspend(
        const Call& call, const TenantId& tenant, const std::string& reason
    ) override;
    Result<AdministeredTenant> resume(
        const Call& call, const TenantId& tenant, const std::string& reason
    ) override;
    Result<std::vector<PurgeCertificate>> list_certificates(
        const Call& call, std::string_view after, std::int64_t limit
    ) override;

 private:
    struct News;
    template <class Fn>
    Result<AdministeredTenant> administer(const Call& call, const TenantId& tenant, Fn change);
    Result<AdministeredTenant> change_state(
        const Call& call, const TenantId& tenant, TenantState next, const std::string& reason
    );
    Result<TenantPlan> change_own_state(
        const Call& call, const TenantId& tenant, TenantState next,
        std::optional<std::string_view> confirmed
    );
    void tell_changed(const TenantId& tenant) const;

    db::Database& database_;
    const Clock& clock_;
    Random& random_;
    std::vector<std::function<void(const TenantId&)>> on_changed_;
};

}  // namespace synapsex::tenant
