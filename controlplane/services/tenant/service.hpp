#pragma once

// The rules of tenant-service.

#include <span>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/wakeups/wakeups.hpp"
#include "controlplane/services/tenant/api.hpp"
#include "controlplane/services/tenant/public.hpp"
#include "controlplane/services/tenant/purges.hpp"
#include "controlplane/services/tenant/standings.hpp"
#include "shared/base/random.hpp"

namespace synapsex::tenant {

class TenantStore;
struct TenantRow;

// Of one tenant, and of one user over all tenants. Beyond them: 409.
inline constexpr std::int64_t kMembersMax = 1000;
inline constexpr std::int64_t kMembershipsMax = 1000;

// "ten_… usr_…": a member got another role, or is none any more.
inline constexpr wakeups::Topic kMemberChanged{"tenant.member_changed"};

class TenantService final : public TenantDirectory, public TenantRecovery {
 public:
    // New tenants get the newest version of the plan.
    TenantService(
        db::Database& database, const Clock& clock, Random& random,
        PlanName default_plan = PlanName::enterprise
    )
        : database_(database),
          clock_(clock),
          random_(random),
          default_plan_(default_plan),
          standings_(database, clock, random),
          purges_(database, clock, random, standings_) {}

    Standings& standings() { return standings_; }
    Purges& purges() { return purges_; }

    // TenantDirectory
    Result<Done> create_tenant(
        const Call& call,
        const TenantId& tenant,
        std::string_view slug,
        std::string_view name,
        const UserId& owner
    ) override;
    Result<Done> abandon_tenant(
        const Call& call, const TenantId& tenant, const UserId& owner
    ) override;
    Result<Done> abandon_memberships(const Call& call, const UserId& user) override;
    Result<std::vector<Membership>> list_memberships(
        const Call& call, const UserId& user
    ) override;
    Result<Membership> get_membership(
        const Call& call, const UserId& user, std::string_view tenant
    ) override;
    Result<Standing> get_standing(const Call& call, const TenantId& tenant) override {
        return standings_.get_standing(call, tenant);
    }
    Result<TenantLimits> get_limits(const Call& call, const TenantId& tenant) override {
        return standings_.get_limits(call, tenant);
    }
    void on_standing_changed(std::function<void(const TenantId&)> callback) override {
        standings_.on_changed(std::move(callback));
    }
    void on_member_changed(
        std::function<void(const TenantId&, const UserId&)> callback
    ) override;

    // TenantRecovery
    Result<std::vector<NamedTenant>> find_tenants(
        const Call& call, std::string_view id_or_slug, std::int64_t limit
    ) override;
    Result<std::vector<UserId>> list_owners(
        const Call& call, const TenantId& tenant, std::int64_t limit
    ) override;
    Result<Done> make_owner(const Call& call, const UserId& user) override;

    // The operations of api.hpp. A tenant in the path has to be the one that the call acts in.
    Result<TenantPage> list(const Call& call, const ListTenants& wish);
    Result<Tenant> create(const Call& call, const CreateTenant& wish);
    Result<Tenant> get(const Call& call, const TenantId& tenant);
    Result<Tenant> update(const Call& call, const UpdateTenant& wish);

    // Who changes members is judged by the role stored at that moment, in the same transaction.
    // An admin neither makes, changes nor removes an owner; the last owner stays one.
    Result<MemberPage> list_members(const Call& call, const ListMembers& wish);
    Result<Member> add_member(const Call& call, const AddMember& wish);
    Result<Member> change_member(const Call& call, const ChangeMember& wish);
    Result<Done> remove_member(const Call& call, const MemberPath& path);

    // What another replica said of kMemberChanged.
    void repeat_member_changed(std::string_view text) const;

 private:
    void tell_member_changed(const TenantId& tenant, const UserId& user) const;

    db::Database& database_;
    const Clock& clock_;
    Random& random_;
    const PlanName default_plan_;
    Standings standings_;
    Purges purges_;
    std::vector<std::function<void(const TenantId&, const UserId&)>> on_member_changed_;
};

}  // namespace synapsex::tenant
