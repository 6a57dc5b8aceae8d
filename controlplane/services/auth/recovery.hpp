#pragma once

// The way back for an owner who is locked out, or into a tenant whose owner has left: for the local
// command alone, since whoever has the server's machine has its data anyway.
//
// The story spans two services, so it is made to be repeated: a user who is not there yet is
// reserved, then tenant-service makes them an owner, and last, in one transaction, the new password
// counts, all sessions end, and the outbox hears of it. Until then the old password stands. A user
// who was reserved and nothing more is swept after a day, with the place in the tenant; nobody can
// register with that address meanwhile, and own the tenant.

#include <string>

#include "controlplane/services/auth/password_gate.hpp"
#include "controlplane/services/auth/store.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::auth {

struct RecoveryWish {
    std::string email;
    std::string tenant;  // id or slug; empty: the only one that it can be
    bool may_make_user = false;
};

// What is going to happen.
struct RecoveryPlan {
    std::string email;
    std::optional<UserId> user_id;  // nullopt: a new user
    tenant::NamedTenant tenant;
    std::optional<Role> role;  // that the user has there now
};

struct Recovered {
    UserId user_id;
    std::size_t sessions_ended = 0;
};

class Recovery {
 public:
    struct Parts {
        db::Database& database;
        tenant::TenantDirectory& directory;
        tenant::TenantRecovery& tenants;
        PasswordGate& passwords;
        const Clock& clock;
        Random& random;
    };
    explicit Recovery(const Parts& parts) : parts_(parts) {}

    // Changes nothing. Kind::invalid auth.email_invalid; Kind::not_found auth.user_not_found,
    // tenants.not_found; Kind::conflict auth.tenant_ambiguous. Their details are for who has the
    // machine: they name users and tenants.
    Result<RecoveryPlan> plan(const Call& call, const RecoveryWish& wish);
    // The password is one that may be registered with. Kind::conflict tenants.limit_reached,
    // auth.registration_unfinished. After any failure the same may be done again.
    Result<Recovered> carry_out(
        const Call& call, const RecoveryPlan& plan, const std::string& password
    );

 private:
    Result<std::optional<UserRow>> find_user(const Call& call, const std::string& email);
    Result<tenant::NamedTenant> choose_tenant(
        const Call& call, const std::string& wish, const std::vector<tenant::Membership>& own
    );
    Problem user_not_found(
        const Call& call, const std::string& email, const tenant::NamedTenant& tenant
    );
    Result<UserId> reserve(const Call& call, const RecoveryPlan& plan);

    Parts parts_;
};

}  // namespace synapsex::auth
