#include "controlplane/services/tenant/store.hpp"

#include <array>

namespace synapsex::tenant {

namespace {

using db::Query;

constexpr Query kInsertTenant{"tenant.insert_tenant", R"sql(
    INSERT INTO tenant_tenants (tenant_id, slug, name, created_at, updated_at, plan, plan_version)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING RETURNING tenant_id)sql"};

constexpr Query kFindTenant{"tenant.find_tenant", R"sql(
    SELECT tenant_id FROM tenant_tenants WHERE tenant_id = $1)sql"};

// Changes nothing. It takes the row's lock on PostgreSQL, where two writers would else each count
// the other's owner; SQLite has one writer anyway.
constexpr Query kLockTenant{"tenant.lock_tenant", R"sql(
    UPDATE tenant_tenants SET slug = slug WHERE tenant_id = $1)sql"};

constexpr Query kRenameTenant{"tenant.rename_tenant", R"sql(
    UPDATE tenant_tenants SET name = $2, updated_at = $3 WHERE tenant_id = $1)sql"};

constexpr Query kFindStanding{"tenant.find_standing", R"sql(
    SELECT t.plan, t.plan_version, t.state, t.state_reason,
           t.delete_after, o.set_at AS rate_set_at, o.value AS rate_value,
           o.expires_at AS rate_expires_at
    FROM tenant_tenants t
    LEFT JOIN tenant_limits o ON o.tenant_id = t.tenant_id AND o.name = 'requests_per_minute'
    WHERE t.tenant_id = $1)sql"};

constexpr Query kSetPlan{"tenant.set_plan", R"sql(
    UPDATE tenant_tenants SET plan = $2, plan_version = $3 WHERE tenant_id = $1)sql"};

constexpr Query kSetState{"tenant.set_state", R"sql(
    UPDATE tenant_tenants SET state = $2, state_reason = $3, state_by = $4, state_since = $5,
        delete_after = $6
    WHERE tenant_id = $1)sql"};

constexpr Query kListOverrides{"tenant.list_overrides", R"sql(
    SELECT name, value, reason, set_by, set_at, expires_at FROM tenant_limits
    WHERE tenant_id = $1 ORDER BY name)sql"};

constexpr Query kPutOverride{"tenant.put_override", R"sql(
    INSERT INTO tenant_limits (tenant_id, name, value, reason, set_by, set_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (tenant_id, name) DO UPDATE SET value = excluded.value, reason = excluded.reason,
        set_by = excluded.set_by, set_at = excluded.set_at, expires_at = excluded.expires_at)sql"};

constexpr Query kDeleteOverride{"tenant.delete_override", R"sql(
    DELETE FROM tenant_limits WHERE tenant_id = $1 AND name = $2)sql"};
constexpr Query kDeleteOverrides{"tenant.delete_overrides", R"sql(
    DELETE FROM tenant_limits WHERE tenant_id = $1)sql"};

constexpr Query kDeleteMembers{"tenant.delete_members", R"sql(
    DELETE FROM tenant_members WHERE tenant_id = $1)sql"};
constexpr Query kDeleteTenant{"tenant.delete_tenant", R"sql(
    DELETE FROM tenant_tenants WHERE tenant_id = $1)sql"};

constexpr Query kInsertMember{"tenant.insert_member", R"sql(
    INSERT INTO tenant_members (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, user_id) DO NOTHING RETURNING user_id)sql"};

constexpr Query kFindMember{"tenant.find_member", R"sql(
    SELECT user_id, role, created_at FROM tenant_members
    WHERE tenant_id = $1 AND user_id = $2)sql"};

constexpr Query kListMembersOfTenant{"tenant.list_members", R"sql(
    SELECT user_id, role, created_at FROM tenant_members
    WHERE tenant_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3)sql"};

constexpr Query kCountMembers{"tenant.count_members", R"sql(
    SELECT count(*) AS members FROM tenant_members WHERE tenant_id = $1)sql"};
constexpr Query kCountOwners{"tenant.count_owners", R"sql(
    SELECT count(*) AS owners FROM tenant_members WHERE tenant_id = $1 AND role = 'owner')sql"};

constexpr Query kSetRole{"tenant.set_role", R"sql(
    UPDATE tenant_members SET role = $3 WHERE tenant_id = $1 AND user_id = $2)sql"};

constexpr Query kDeleteMember{"tenant.delete_member", R"sql(
    DELETE FROM tenant_members WHERE tenant_id = $1 AND user_id = $2)sql"};

constexpr Query kListTenantsOfUser{"tenant.list_tenants_of_user", R"sql(
    SELECT t.tenant_id, t.slug, t.name, t.created_at, t.updated_at, m.role,
           m.created_at AS joined_at, t.plan, t.plan_version, t.state, t.state_reason,
           t.delete_after, o.set_at AS rate_set_at, o.value AS rate_value,
           o.expires_at AS rate_expires_at
    FROM tenant_members m JOIN tenant_tenants t ON t.tenant_id = m.tenant_id
    LEFT JOIN tenant_limits o ON o.tenant_id = t.tenant_id AND o.name = 'requests_per_minute'
    WHERE m.user_id = $1 AND m.tenant_id > $2 ORDER BY m.tenant_id LIMIT $3)sql"};

constexpr Query kListOldest{"tenant.list_oldest_memberships", R"sql(
    SELECT t.tenant_id, t.slug, t.name, t.created_at, t.updated_at, m.role,
           m.created_at AS joined_at, t.plan, t.plan_version, t.state, t.state_reason,
           t.delete_after, o.set_at AS rate_set_at, o.value AS rate_value,
           o.expires_at AS rate_expires_at
    FROM tenant_members m JOIN tenant_tenants t ON t.tenant_id = m.tenant_id
    LEFT JOIN tenant_limits o ON o.tenant_id = t.tenant_id AND o.name = 'requests_per_minute'
    WHERE m.user_id = $1 ORDER BY m.created_at, m.tenant_id LIMIT $2)sql"};

constexpr Query kFindMembership{"tenant.find_membership", R"sql(
    SELECT t.tenant_id, t.slug, t.name, t.created_at, t.updated_at, m.role,
           m.created_at AS joined_at, t.plan, t.plan_version, t.state, t.state_reason,
           t.delete_after, o.set_at AS rate_set_at, o.value AS rate_value,
           o.expires_at AS rate_expires_at
    FROM tenant_tenants t JOIN tenant_members m ON m.tenant_id = t.tenant_id
    LEFT JOIN tenant_limits o ON o.tenant_id = t.tenant_id AND o.name = 'requests_per_minute'
    WHERE (t.tenant_id = $2 OR t.slug = $2) AND m.user_id = $1)sql"};

constexpr Query kCountMemberships{"tenant.count_memberships", R"sql(
    SELECT count(*) AS memberships FROM tenant_members WHERE user_id = $1)sql"};

constexpr Query kListOwners{"tenant.list_owners", R"sql(
    SELECT user_id FROM tenant_members
    WHERE tenant_id = $1 AND role = 'owner' ORDER BY user_id LIMIT $2)sql"};

constexpr Query kListNames{"tenant.list_names", R"sql(
    SELECT tenant_id, slug, name FROM tenant_tenants ORDER BY slug LIMIT $1)sql"};

constexpr Query kFindName{"tenant.find_name", R"sql(
    SELECT tenant_id, slug, name FROM tenant_tenants WHERE tenant_id = $1 OR slug = $1)sql"};

constexpr Query kListAdministered{"tenant.list_administered", R"sql(
    SELECT t.tenant_id, t.slug, t.name, t.created_at, t.updated_at, t.plan, t.plan_version, t.state,
           t.state_reason, t.state_by, t.state_since, t.delete_after,
           (SELECT count(*) FROM tenant_members m WHERE m.tenant_id = t.tenant_id) AS members
    FROM tenant_tenants t WHERE t.slug > $1 ORDER BY t.slug LIMIT $2)sql"};

constexpr Query kFindAdministered{"tenant.find_administered", R"sql(
    SELECT t.tenant_id, t.slug, t.name, t.created_at, t.updated_at, t.plan, t.plan_version, t.state,
           t.state_reason, t.state_by, t.state_since, t.delete_after,
           (SELECT count(*) FROM tenant_members m WHERE m.tenant_id = t.tenant_id) AS members
    FROM tenant_tenants t WHERE t.tenant_id = $1 OR t.slug = $1)sql"};

constexpr Query kListDuePurges{"tenant.list_due_purges", R"sql(
    SELECT tenant_id FROM tenant_tenants
    WHERE state = 'pending_deletion' AND delete_after IS NOT NULL AND delete_after <= $1
    ORDER BY delete_after, tenant_id LIMIT $2)sql"};

constexpr Query kBeginPurge{"tenant.begin_purge", R"sql(
    INSERT INTO tenant_purges (tenant_id, slug, requested_by, requested_at, started_at)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id) DO NOTHING)sql"};
constexpr Query kFindPurge{"tenant.find_purge", R"sql(
    SELECT tenant_id, slug, requested_by, requested_at, started_at, finished_at, certificate, sha256
    FROM tenant_purges WHERE tenant_id = $1)sql"};
constexpr Query kListPurges{"tenant.list_purges", R"sql(
    SELECT tenant_id, slug, requested_by, requested_at, started_at, finished_at, certificate, sha256
    FROM tenant_purges WHERE tenant_id > $1 AND finished_at IS NOT NULL
    ORDER BY tenant_id LIMIT $2)sql"};
constexpr Query kFinishPurge{"tenant.finish_purge", R"sql(
    UPDATE tenant_purges SET finished_at = $2, certificate = $3, sha256 = $4
    WHERE tenant_id = $1)sql"};

constexpr Query kPutPurgeCount{"tenant.put_purge_count", R"sql(
    INSERT INTO tenant_purge_counts (tenant_id, table_name, row_count) VALUES ($1, $2, $3)
    ON CONFLICT (tenant_id, table_name) DO NOTHING)sql"};
constexpr Query kListPurgeCounts{"tenant.list_purge_counts", R"sql(
    SELECT table_name AS "table", row_count AS rows FROM tenant_purge_counts
    WHERE tenant_id = $1 ORDER BY table_name)sql"};
constexpr Query kCountRows{"tenant.count_rows", R"sql(
    SELECT 'tenant_limits' AS "table", count(*) AS rows FROM tenant_limits WHERE tenant_id = $1
    UNION ALL SELECT 'tenant_members', count(*) FROM tenant_members WHERE tenant_id = $1
    UNION ALL SELECT 'tenant_tenants', count(*) FROM tenant_tenants WHERE tenant_id = $1)sql"};

constexpr std::array<const Query*, 37> kQueries{
    &kInsertTenant,        &kFindTenant,   &kLockTenant,        &kRenameTenant,
    &kDeleteMembers,       &kDeleteTenant, &kInsertMember,      &kFindMember,
    &kListMembersOfTenant, &kCountMembers, &kCountOwners,       &kSetRole,
    &kDeleteMember,        &kListOldest,   &kListTenantsOfUser, &kFindMembership,
    &kCountMemberships,    &kListOwners,   &kListNames,         &kFindName,
    &kFindStanding,        &kSetPlan,      &kSetState,          &kListOverrides,
    &kPutOverride,         &kDeleteOverride, &kDeleteOverrides, &kListAdministered,
    &kFindAdministered,    &kListDuePurges, &kBeginPurge,       &kFindPurge,
    &kListPurges,          &kFinishPurge,  &kPutPurgeCount,     &kListPurgeCounts,
    &kCountRows,
};

}  // namespace

std::span<const Query* const> TenantStore::queries() { return kQueries; }

Standing standing_of(const StandingRow& row, Timestamp now) {
    std::vector<LimitOverride> overrides;
    if (row.rate_set_at)
        overrides.push_back(
            {LimitName::requests_per_minute, row.rate_value, {}, {}, *row.rate_set_at,
             row.rate_expires_at}
        );
    const auto limits = limits_of(row.plan, row.plan_version, overrides, now);
    Standing standing{row.state, limits.value(LimitName::requests_per_minute), {}, {}};
    if (row.state == TenantState::suspended) standing.reason = row.state_reason;
    if (row.state == TenantState::pending_deletion) standing.until = row.delete_after;
    return standing;
}

bool TenantStore::insert(const TenantRow& tenant, const Plan& plan) {
    const auto rows = session_.query(
        kInsertTenant, tenant.tenant_id, tenant.slug, tenant.name, tenant.created_at,
        tenant.updated_at, plan.name, plan.version
    );
    return !rows.empty();
}

bool TenantStore::exists(const TenantId& tenant) {
    return !session_.query(kFindTenant, tenant).empty();
}

void TenantStore::lock(const TenantId& tenant) { session_.execute(kLockTenant, tenant); }

void TenantStore::rename(const TenantId& tenant, std::string_view name, Timestamp now) {
    session_.execute(kRenameTenant, tenant, name, now);
}

std::optional<StandingRow> TenantStore::find_standing(const TenantId& tenant) {
    return session_.find<StandingRow>(kFindStanding, tenant);
}

void TenantStore::set_plan(const TenantId& tenant, const Plan& plan) {
    session_.execute(kSetPlan, tenant, plan.name, plan.version);
}

void TenantStore::set_state(const TenantId& tenant, const StateChange& change) {
    session_.execute(
        kSetState, tenant, change.state, change.reason, change.by, change.at, change.delete_after
    );
}

std::vector<LimitOverride> TenantStore::list_overrides(const TenantId& tenant) {
    return session_.list<LimitOverride>(kListOverrides, tenant);
}

void TenantStore::put_override(const TenantId& tenant, const LimitOverride& override) {
    session_.execute(
        kPutOverride, tenant, override.name, override.value, override.reason, override.set_by,
        override.set_at, override.expires_at
    );
}

bool TenantStore::remove_override(const TenantId& tenant, LimitName name) {
    return session_.execute(kDeleteOverride, tenant, name) > 0;
}

std::vector<TenantId> TenantStore::list_due_purges(Timestamp until, std::int64_t limit) {
    const auto rows = session_.query(kListDuePurges, until, limit);
    std::vector<TenantId> tenants;
    for (std::size_t i = 0; i < rows.size(); ++i)
        tenants.push_back(rows[i].get<TenantId>("tenant_id"));
    return tenants;
}

void TenantStore::begin_purge(const PurgeRow& purge) {
    session_.execute(
        kBeginPurge, purge.tenant_id, purge.slug, purge.requested_by, purge.requested_at,
        purge.started_at
    );
}

std::optional<PurgeRow> TenantStore::find_purge(const TenantId& tenant) {
    return session_.find<PurgeRow>(kFindPurge, tenant);
}

void TenantStore::put_purge_count(const TenantId& tenant, const TableCount& table) {
    session_.execute(kPutPurgeCount, tenant, table.table, table.rows);
}

std::vector<TableCount> TenantStore::list_purge_counts(const TenantId& tenant) {
    return session_.list<TableCount>(kListPurgeCounts, tenant);
}

void TenantStore::finish_purge(
    const TenantId& tenant, Timestamp now, std::string_view certificate, std::string_view sha256
) {
    session_.execute(kFinishPurge, tenant, now, certificate, sha256);
}

std::vector<PurgeRow> TenantStore::list_purges(
    std::string_view after_tenant_id, std::int64_t limit
) {
    return session_.list<PurgeRow>(kListPurges, after_tenant_id, limit);
}

std::vector<TableCount> TenantStore::count_rows(const TenantId& tenant) {
    return session_.list<TableCount>(kCountRows, tenant);
}

void TenantStore::remove(const TenantId& tenant) {
    session_.execute(kDeleteOverrides, tenant);
    session_.execute(kDeleteMembers, tenant);
    session_.execute(kDeleteTenant, tenant);
}

bool TenantStore::insert_member(const TenantId& tenant, const Member& member) {
    const auto rows = session_.query(
        kInsertMember, tenant, member.user_id, member.role, member.created_at
    );
    return !rows.empty();
}

std::optional<Member> TenantStore::find_member(const TenantId& tenant, const UserId& user) {
    return session_.find<Member>(kFindMember, tenant, user);
}

std::vector<Member> TenantStore::list_members(
    const TenantId& tenant, std::string_view after_user_id, std::int64_t limit
) {
    return session_.list<Member>(kListMembersOfTenant, tenant, after_user_id, limit);
}

std::int64_t TenantStore::count_members(const TenantId& tenant) {
    return session_.query(kCountMembers, tenant)[0].get<std::int64_t>("members");
}

std::int64_t TenantStore::count_owners(const TenantId& tenant) {
    return session_.query(kCountOwners, tenant)[0].get<std::int64_t>("owners");
}

std::vector<UserId> TenantStore::list_owners(const TenantId& tenant, std::int64_t limit) {
    const auto rows = session_.query(kListOwners, tenant, limit);
    std::vector<UserId> owners;
    for (std::size_t i = 0; i < rows.size(); ++i)
        owners.push_back(rows[i].get<UserId>("user_id"));
    return owners;
}

void TenantStore::set_role(const TenantId& tenant, const UserId& user, auth::Role role) {
    session_.execute(kSetRole, tenant, user, role);
}

void TenantStore::remove_member(const TenantId& tenant, const UserId& user) {
    session_.execute(kDeleteMember, tenant, user);
}

std::vector<MembershipRow> TenantStore::list_tenants(
    const UserId& user, std::string_view after_tenant_id, std::int64_t limit
) {
    return session_.list<MembershipRow>(kListTenantsOfUser, user, after_tenant_id, limit);
}

std::vector<MembershipRow> TenantStore::list_oldest(const UserId& user, std::int64_t limit) {
    return session_.list<MembershipRow>(kListOldest, user, limit);
}

std::optional<MembershipRow> TenantStore::find_membership(
    const UserId& user, std::string_view tenant_id_or_slug
) {
    return session_.find<MembershipRow>(kFindMembership, user, tenant_id_or_slug);
}

std::int64_t TenantStore::count_memberships(const UserId& user) {
    return session_.query(kCountMemberships, user)[0].get<std::int64_t>("memberships");
}

std::vector<NamedTenant> TenantStore::list_names(std::int64_t limit) {
    return session_.list<NamedTenant>(kListNames, limit);
}

std::optional<NamedTenant> TenantStore::find_name(std::string_view tenant_id_or_slug) {
    return session_.find<NamedTenant>(kFindName, tenant_id_or_slug);
}

std::vector<AdministeredRow> TenantStore::list_administered(
    std::string_view after_slug, std::int64_t limit
) {
    return session_.list<AdministeredRow>(kListAdministered, after_slug, limit);
}

std::optional<AdministeredRow> TenantStore::find_administered(std::string_view tenant_id_or_slug) {
    return session_.find<AdministeredRow>(kFindAdministered, tenant_id_or_slug);
}

}  // namespace synapsex::tenant
