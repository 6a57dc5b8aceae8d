#include "controlplane/services/tenant/store.hpp"

#include <array>

namespace synapsex::tenant {

namespace {

using db::Query;

constexpr Query kInsertTenant{"tenant.insert_tenant", R"sql(
    INSERT INTO tenant_tenants (tenant_id, slug, name, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING RETURNING tenant_id)sql"};

constexpr Query kFindTenant{"tenant.find_tenant", R"sql(
    SELECT tenant_id FROM tenant_tenants WHERE tenant_id = $1)sql"};

// Changes nothing. It takes the row's lock on PostgreSQL, where two writers would else each count
// the other's owner; SQLite has one writer anyway.
constexpr Query kLockTenant{"tenant.lock_tenant", R"sql(
    UPDATE tenant_tenants SET slug = slug WHERE tenant_id = $1)sql"};

constexpr Query kRenameTenant{"tenant.rename_tenant", R"sql(
    UPDATE tenant_tenants SET name = $2, updated_at = $3 WHERE tenant_id = $1)sql"};

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
           m.created_at AS joined_at
    FROM tenant_members m JOIN tenant_tenants t ON t.tenant_id = m.tenant_id
    WHERE m.user_id = $1 AND m.tenant_id > $2 ORDER BY m.tenant_id LIMIT $3)sql"};

constexpr Query kListOldest{"tenant.list_oldest_memberships", R"sql(
    SELECT t.tenant_id, t.slug, t.name, t.created_at, t.updated_at, m.role,
           m.created_at AS joined_at
    FROM tenant_members m JOIN tenant_tenants t ON t.tenant_id = m.tenant_id
    WHERE m.user_id = $1 ORDER BY m.created_at, m.tenant_id LIMIT $2)sql"};

constexpr Query kFindMembership{"tenant.find_membership", R"sql(
    SELECT t.tenant_id, t.slug, t.name, t.created_at, t.updated_at, m.role,
           m.created_at AS joined_at
    FROM tenant_tenants t JOIN tenant_members m ON m.tenant_id = t.tenant_id
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

constexpr std::array<const Query*, 20> kQueries{
    &kInsertTenant,        &kFindTenant,   &kLockTenant,        &kRenameTenant,
    &kDeleteMembers,       &kDeleteTenant, &kInsertMember,      &kFindMember,
    &kListMembersOfTenant, &kCountMembers, &kCountOwners,       &kSetRole,
    &kDeleteMember,        &kListOldest,   &kListTenantsOfUser, &kFindMembership,
    &kCountMemberships,    &kListOwners,   &kListNames,         &kFindName,
};

}  // namespace

std::span<const Query* const> TenantStore::queries() { return kQueries; }

bool TenantStore::insert(const TenantRow& tenant) {
    const auto rows = session_.query(
        kInsertTenant, tenant.tenant_id, tenant.slug, tenant.name, tenant.created_at,
        tenant.updated_at
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

void TenantStore::remove(const TenantId& tenant) {
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

}  // namespace synapsex::tenant
