#pragma once

// The SQL of tenant-service. No rules, no clock.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/tenant_purge.hpp"
#include "controlplane/services/tenant/administration.hpp"
#include "controlplane/services/tenant/api.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::tenant {

struct TenantRow {
    TenantId tenant_id;
    std::string slug;
    std::string name;
    Timestamp created_at{};
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(TenantRow, (), (tenant_id, slug, name, created_at, updated_at))

// What the standing of a tenant is made of. The last three are of the override of
// requests_per_minute; without a rate_set_at there is none.
struct StandingRow {
    PlanName plan = PlanName::free;
    std::int64_t plan_version = 1;
    TenantState state = TenantState::active;
    std::string state_reason;
    std::optional<Timestamp> delete_after;
    std::optional<Timestamp> rate_set_at;
    std::optional<std::int64_t> rate_value;
    std::optional<Timestamp> rate_expires_at;
};
BOOST_DESCRIBE_STRUCT(
    StandingRow, (),
    (plan, plan_version, state, state_reason, delete_after, rate_set_at, rate_value,
     rate_expires_at)
)
Standing standing_of(const StandingRow& row, Timestamp now);

// A tenant as one of its members sees it.
struct MembershipRow : TenantRow, StandingRow {
    auth::Role role = auth::Role::viewer;
    Timestamp joined_at{};
};
BOOST_DESCRIBE_STRUCT(MembershipRow, (TenantRow, StandingRow), (role, joined_at))

// As who runs the server sees it, but for the overrides.
struct AdministeredRow : TenantRow {
    PlanName plan = PlanName::free;
    std::int64_t plan_version = 1;
    TenantState state = TenantState::active;
    std::string state_reason;
    std::string state_by;
    std::optional<Timestamp> state_since;
    std::optional<Timestamp> delete_after;
    std::int64_t members = 0;
};
BOOST_DESCRIBE_STRUCT(
    AdministeredRow, (TenantRow),
    (plan, plan_version, state, state_reason, state_by, state_since, delete_after, members)
)

struct PurgeRow {
    TenantId tenant_id;
    std::string slug;
    std::string requested_by;
    Timestamp requested_at{};
    Timestamp started_at{};
    std::optional<Timestamp> finished_at{};
    std::string certificate{};
    std::string sha256{};
};
BOOST_DESCRIBE_STRUCT(
    PurgeRow, (),
    (tenant_id, slug, requested_by, requested_at, started_at, finished_at, certificate, sha256)
)

// Another state, and the who, why and when of it.
struct StateChange {
    TenantState state = TenantState::active;
    std::string reason;
    std::string by;
    Timestamp at{};
    std::optional<Timestamp> delete_after{};
};

class TenantStore {
 public:
    explicit TenantStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // False: the slug or the id is taken.
    bool insert(
        const TenantRow& tenant, const Plan& plan = newest_plan(PlanName::enterprise)
    );
    bool exists(const TenantId& tenant);
    // Makes other writers to this tenant's members wait until the transaction ends.
    void lock(const TenantId& tenant);
    void rename(const TenantId& tenant, std::string_view name, Timestamp now);
    std::optional<StandingRow> find_standing(const TenantId& tenant);
    void set_plan(const TenantId& tenant, const Plan& plan);
    void set_state(const TenantId& tenant, const StateChange& change);
    // Expired ones too.
    std::vector<LimitOverride> list_overrides(const TenantId& tenant);
    void put_override(const TenantId& tenant, const LimitOverride& override);
    // False: there was none.
    bool remove_override(const TenantId& tenant, LimitName name);
    // Of all tenants: those whose grace ended until the instant.
    std::vector<TenantId> list_due_purges(Timestamp until, std::int64_t limit);
    // One that has begun stays as it is.
    void begin_purge(const PurgeRow& purge);
    std::optional<PurgeRow> find_purge(const TenantId& tenant);
    // A count that was put before stays.
    void put_purge_count(const TenantId& tenant, const TableCount& table);
    std::vector<TableCount> list_purge_counts(const TenantId& tenant);
    void finish_purge(
        const TenantId& tenant, Timestamp now, std::string_view certificate,
        std::string_view sha256
    );
    // Finished ones, by tenant, after `after_tenant_id` ("" from the start), at most `limit`.
    std::vector<PurgeRow> list_purges(std::string_view after_tenant_id, std::int64_t limit);
    // Of what remove() removes.
    std::vector<TableCount> count_rows(const TenantId& tenant);
    // The tenant, its members and overrides.
    void remove(const TenantId& tenant);

    // False: the user is a member already.
    bool insert_member(const TenantId& tenant, const Member& member);
    std::optional<Member> find_member(const TenantId& tenant, const UserId& user);
    // By user id, after `after_user_id` ("" from the start), at most `limit`.
    std::vector<Member> list_members(
        const TenantId& tenant, std::string_view after_user_id, std::int64_t limit
    );
    std::int64_t count_members(const TenantId& tenant);
    std::int64_t count_owners(const TenantId& tenant);
    // By user id, at most `limit`.
    std::vector<UserId> list_owners(const TenantId& tenant, std::int64_t limit);
    void set_role(const TenantId& tenant, const UserId& user, auth::Role role);
    void remove_member(const TenantId& tenant, const UserId& user);

    // Across tenants: what one user belongs to.
    // By the tenant's id, after `after_tenant_id` ("" from the start), at most `limit`.
    std::vector<MembershipRow> list_tenants(
        const UserId& user, std::string_view after_tenant_id, std::int64_t limit
    );
    // By the day the user joined, at most `limit`.
    std::vector<MembershipRow> list_oldest(const UserId& user, std::int64_t limit);
    std::optional<MembershipRow> find_membership(
        const UserId& user, std::string_view tenant_id_or_slug
    );
    std::int64_t count_memberships(const UserId& user);
    // Whoever belongs to them. By slug, at most `limit`.
    std::vector<NamedTenant> list_names(std::int64_t limit);
    std::optional<NamedTenant> find_name(std::string_view tenant_id_or_slug);
    // By slug, after `after_slug` ("" from the start), at most `limit`.
    std::vector<AdministeredRow> list_administered(
        std::string_view after_slug, std::int64_t limit
    );
    std::optional<AdministeredRow> find_administered(std::string_view tenant_id_or_slug);

 private:
    db::Session& session_;
};

}  // namespace synapsex::tenant
