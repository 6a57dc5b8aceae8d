#pragma once

// How a user comes to be. The story spans two services: a user row is reserved here, the tenant is
// made in tenant-service, then the user becomes active. Breaking off in between leaves a user who
// cannot sign in, and perhaps a tenant that nobody can enter. Registering again with the same
// e-mail takes the story up with the same ids (the tenant's derives from the user's); what nobody
// takes up is swept after a day.

#include <chrono>
#include <string>

#include "controlplane/services/auth/password_gate.hpp"
#include "controlplane/services/auth/store.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::auth {

struct Registrant {
    std::string email;
    std::string password;
    std::string full_name;
    std::string tenant_name;
};

class Registration {
 public:
    static constexpr std::chrono::hours kAbandonedAfter{24};
    static constexpr std::int64_t kSweepMax = 20;

    Registration(
        db::Database& database,
        tenant::TenantDirectory& tenants,
        PasswordGate& passwords,
        const Clock& clock,
        Random& random
    );

    // The user is active and owns a tenant. Kind::invalid auth.email_invalid; Kind::conflict
    // auth.email_taken; Kind::unavailable auth.busy.
    Result<UserRow> register_user(const Call& call, const Registrant& registrant);

    // Takes back what was left unfinished for a day, also by a recovery; at most kSweepMax at a
    // time. Repeatable, by any replica.
    Result<Done> sweep(const Call& call);

 private:
    Result<UserRow> reserve(const Call& call, const UserRow& wish);
    Result<Done> take_back(const Call& call, const UserRow& user);

    db::Database& database_;
    tenant::TenantDirectory& tenants_;
    PasswordGate& passwords_;
    const Clock& clock_;
    Random& random_;
};

}  // namespace synapsex::auth
