#pragma once

// What other services may ask of tenant-service: who belongs where. Users are known here by id
// only; auth-service owns them.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/auth/call.hpp"
#include "controlplane/services/tenant/entitlements.hpp"
#include "shared/base/result.hpp"

namespace synapsex::tenant {

// A user's place in a tenant.
struct Membership {
    TenantId tenant_id;
    std::string slug;
    std::string name;
    auth::Role role = auth::Role::viewer;
    Timestamp joined_at{};  // anew for who was removed and added again
    Standing standing{};    // of the tenant
};
BOOST_DESCRIBE_STRUCT(Membership, (), (tenant_id, slug, name, role, joined_at, standing))

struct NamedTenant {
    TenantId tenant_id;
    std::string slug;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(NamedTenant, (), (tenant_id, slug, name))

// What no caller of /v1 may: only the local command that lets a person who has the server's machine
// back into a tenant is handed this.
class TenantRecovery {
 public:
    virtual ~TenantRecovery() = default;

    // The one of that id or slug, or none; for "" all, by slug, at most `limit`.
    virtual Result<std::vector<NamedTenant>> find_tenants(
        const Call& call, std::string_view id_or_slug, std::int64_t limit
    ) = 0;
    virtual Result<std::vector<UserId>> list_owners(
        const Call& call, const TenantId& tenant, std::int64_t limit
    ) = 0;
    // The user owns the tenant of the call, whatever they were before. Repeating it changes
    // nothing. Kind::conflict tenants.limit_reached.
    virtual Result<Done> make_owner(const Call& call, const UserId& user) = 0;
};

class TenantDirectory {
 public:
    virtual ~TenantDirectory() = default;

    // Makes the tenant with this user as its owner. An empty slug is derived from the name.
    // Repeating it with the same id changes nothing, so that a story over two services can be
    // taken up where it broke off. Kind::conflict tenants.slug_taken, tenants.limit_reached.
    virtual Result<Done> create_tenant(
        const Call& call, const TenantId& tenant, std::string_view slug, std::string_view name,
        const UserId& owner
    ) = 0;

    // Takes create_tenant back, for a story that was not ended: nobody has ever signed in. Changes
    // nothing unless this user is the only member; repeatable.
    virtual Result<Done> abandon_tenant(
        const Call& call, const TenantId& tenant, const UserId& owner
    ) = 0;

    // Takes the user, as whom nobody has ever signed in, out of every tenant, whatever their role.
    // Repeatable.
    virtual Result<Done> abandon_memberships(const Call& call, const UserId& user) = 0;

    // The one joined first comes first; at most 1000.
    virtual Result<std::vector<Membership>> list_memberships(
        const Call& call, const UserId& user
    ) = 0;

    // By id or slug. Kind::not_found tenants.not_found, also where the user is no member.
    virtual Result<Membership> get_membership(
        const Call& call, const UserId& user, std::string_view tenant
    ) = 0;

    // How the tenant stands, and what it may use now, by its plan and what was said of it alone.
    // Kind::not_found tenants.not_found.
    virtual Result<Standing> get_standing(const Call& call, const TenantId& tenant) = 0;
    virtual Result<TenantLimits> get_limits(const Call& call, const TenantId& tenant) = 0;

    // Calls back after a tenant's standing or limits were changed, once that is committed, here or
    // by another process on the database. Before serving.
    virtual void on_standing_changed(std::function<void(const TenantId&)> callback) = 0;

    // Calls back after a member was removed or got another role, once that is committed, on the
    // thread that asked for it; in this process only. Before serving.
    virtual void on_member_changed(
        std::function<void(const TenantId&, const UserId&)> callback
    ) = 0;
};

}  // namespace synapsex::tenant
