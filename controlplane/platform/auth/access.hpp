#pragma once

// Who may call an operation. Declared in the operation itself, so that reading api.hpp tells the
// security of the API. A scope is granted by a role; the one table is kScopes.

#include <array>
#include <boost/describe.hpp>
#include <cstdint>
#include <string_view>

namespace synapsex::auth {

// A member's role in a tenant; each may do all that the ones before it may. On the wire and in the
// database operator_ is "operator".
enum class Role { viewer, operator_, admin, owner };
BOOST_DESCRIBE_ENUM(Role, viewer, operator_, admin, owner)

enum class AccessKind {
    anyone,     // no credential is read
    proof,      // no credential is read either: the body has one, which the handler checks
    signed_in,  // any user or API key
    user,       // a user or API key whose role grants the scope
    agent,      // the daemon on a VM, with the access token it got for its key
};

struct Access {
    AccessKind kind = AccessKind::user;
    std::string_view scope{};
    bool is_closed_to_keys = false;
    bool is_open_in_any_standing = false;

    constexpr bool reads_credential() const {
        return kind != AccessKind::anyone && kind != AccessKind::proof;
    }
};

struct ScopeGrant {
    std::string_view scope;
    Role lowest_role;
    std::string_view description;
};

// Every scope of /v1, and the least role that has it.
inline constexpr std::array kScopes{
    ScopeGrant{"tenants.read", Role::viewer, "Read the tenant and its members."},
    ScopeGrant{"tenants.write", Role::owner, "Change the tenant."},
    ScopeGrant{"members.write", Role::admin, "Add, change and remove members."},
    ScopeGrant{"keys.write", Role::operator_, "Make API keys of one's own."},
    ScopeGrant{"agents.read", Role::viewer, "Read agents and their state."},
    ScopeGrant{"agents.write", Role::operator_, "Rename and remove agents."},
    ScopeGrant{"enrollment_tokens.read", Role::operator_, "Read enrollment tokens."},
    ScopeGrant{"enrollment_tokens.write", Role::operator_, "Make and revoke enrollment tokens."},
    ScopeGrant{"vms.read", Role::viewer, "Read VMs, inventory and telemetry."},
    ScopeGrant{"audit.read", Role::admin, "Read and export the audit log."},
};

// Scopes of kScopes; what is none is in no set.
class ScopeSet {
 public:
    constexpr ScopeSet() = default;

    constexpr void add(std::string_view scope) { bits_ |= bit_of(scope); }
    constexpr bool contains(std::string_view scope) const { return bits_ & bit_of(scope); }
    constexpr ScopeSet& operator|=(ScopeSet other) {
        bits_ |= other.bits_;
        return *this;
    }
    constexpr ScopeSet& operator&=(ScopeSet other) {
        bits_ &= other.bits_;
        return *this;
    }
    friend constexpr bool operator==(ScopeSet, ScopeSet) = default;

    static constexpr bool is_known(std::string_view scope) { return bit_of(scope) != 0; }

 private:
    static_assert(kScopes.size() <= 64);
    static constexpr std::uint64_t bit_of(std::string_view scope) {
        for (std::size_t i = 0; i < kScopes.size(); ++i)
            if (kScopes[i].scope == scope) return std::uint64_t{1} << i;
        return 0;
    }

    std::uint64_t bits_ = 0;
};

constexpr ScopeSet scopes_of(Role role) {
    ScopeSet scopes;
    for (const auto& grant : kScopes)
        if (role >= grant.lowest_role) scopes.add(grant.scope);
    return scopes;
}

constexpr Access anyone() { return {AccessKind::anyone}; }
constexpr Access proof() { return {AccessKind::proof}; }
constexpr Access signed_in() { return {AccessKind::signed_in}; }
constexpr Access agent() { return {AccessKind::agent}; }
// An unknown scope does not compile.
consteval Access user(std::string_view scope) {
    if (!ScopeSet::is_known(scope)) throw "unknown scope: add it to kScopes";
    return {AccessKind::user, scope};
}
// The same for who signed in, with no API key: 403 auth.sign_in_required.
constexpr Access without_keys(Access access) {
    access.is_closed_to_keys = true;
    return access;
}
// Goes on for a tenant that is suspended or to be deleted, as GET does and what agents call: for
// what takes access away, and what changes nothing of the tenant's.
constexpr Access in_any_standing(Access access) {
    access.is_open_in_any_standing = true;
    return access;
}

}  // namespace synapsex::auth
