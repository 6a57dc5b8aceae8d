#pragma once

// Enrollment tokens, and the exchange of one for an agent's identity.

#include <optional>
#include <string>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "controlplane/services/agent_registry/presence.hpp"
#include "controlplane/services/agent_registry/trust.hpp"
#include "controlplane/services/tenant/public.hpp"
#include "shared/base/random.hpp"

namespace synapsex::agent_registry {

// Tokens of one tenant that could still enroll somebody. Most VMs need one token with many uses.
inline constexpr std::int64_t kUsableTokensMax = 1000;
// Ended tokens: at most so many of a tenant, and not longer than this after they expired.
inline constexpr std::int64_t kEndedTokensKept = 1000;
inline constexpr std::chrono::days kExpiredTokensKeptFor{30};

class Enrollment {
 public:
    struct Parts {
        db::Database& database;
        const Clock& clock;
        Random& random;
        vm_registry::VmDirectory& vms;
        tenant::TenantDirectory& tenants;
        PresenceBook& presence;
        Trust trust;
    };
    explicit Enrollment(Parts parts) : parts_(std::move(parts)) {}

    // Kind::conflict enrollment_tokens.limit_reached.
    Result<CreatedEnrollmentToken> create_token(
        const Call& call, const CreateEnrollmentToken& wish
    );
    Result<EnrollmentTokenPage> list_tokens(const Call& call, const ListEnrollmentTokens& wish);
    // Repeatable. Kind::not_found enrollment_tokens.not_found.
    Result<api::None> revoke_token(const Call& call, const EnrollmentTokenPath& path);

    // Kind::unauthenticated enrollment.token_invalid | token_expired | token_used | token_revoked
    // | token_of_other_tenant | agent_removed. The same token and key answer the same agent again,
    // also after the token was used up or expired, as long as it is kept. Kind::forbidden
    // tenants.suspended | tenants.pending_deletion; Kind::conflict tenants.vm_limit_reached.
    Result<Enrolled> enroll(const Call& call, const Enroll& wish);

    // For an agent by whose clock the server's certificate is not in its time. Kind::invalid
    // agents.nonce_invalid; Kind::not_found agents.no_authority.
    Result<ProvenTime> prove_time(const ProveTime& wish) const;

    // Deletes tokens that expired long ago, as far as the deadline lets it; returns how many.
    std::int64_t prune_tokens(const Call& call);

    // Read once at start, before the first call.
    void set_incarnation(std::string incarnation) { incarnation_ = std::move(incarnation); }
    const std::string& incarnation() const { return incarnation_; }

 private:
    struct Tenant {
        Standing standing;
        tenant::TenantLimits limits;
    };
    Result<Tenant> tenant_of(const Call& call, const EnrollmentTokenId& token);
    Result<Done> check_not_removed(const Call& call, const AgentRow& agent);

    Parts parts_;
    std::string incarnation_;
};

}  // namespace synapsex::agent_registry
