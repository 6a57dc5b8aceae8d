#pragma once

// The SQL of tenant-service. No rules, no clock.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "controlplane/platform/db/database.hpp"
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

// A tenant as one of its members sees it.
struct MembershipRow : TenantRow {
    auth::Role role = auth::Role::viewer;
    Timestamp joined_at{};
};
BOOST_DESCRIBE_STRUCT(MembershipRow, (TenantRow), (role, joined_at))

class TenantStore {
 public:
    explicit TenantStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // False: the slug or the id is taken.
    bool insert(const TenantRow& tenant);
    bool exists(const TenantId& tenant);
    // Makes other writers to this tenant's members wait until the transaction ends.
    void lock(const TenantId& tenant);
    void rename(const TenantId& tenant, std::string_view name, Timestamp now);
    // The tenant and its members.
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

 private:
    db::Session& session_;
};

}  // namespace synapsex::tenant
