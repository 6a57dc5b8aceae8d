#pragma once

// Turns a credential into a Principal, and remembers it for a while. A revocation, a removed member
// and a new role count at once; where another replica made the change and its hint was lost, within
// kLifetime.

#include <chrono>

#include "controlplane/platform/auth/authenticator.hpp"
#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/agent_registry/public.hpp"
#include "controlplane/services/auth/access_tokens.hpp"
#include "controlplane/services/auth/key_usage.hpp"
#include "controlplane/services/auth/principal_cache.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::auth {

// Who else is asked about a credential.
struct Directories {
    tenant::TenantDirectory& tenants;
    agent_registry::AgentDirectory& agents;
};

class Credentials final : public Authenticator {
 public:
    static constexpr std::chrono::seconds kLifetime{5};

    Credentials(
        db::Database& database,
        const Directories& directories,
        const AccessTokens& tokens,
        PrincipalCache& cache,
        const Clock& clock
    );

    std::shared_ptr<const Principal> find_cached(const Credential& credential) override;
    Result<std::shared_ptr<const Principal>> authenticate(
        const Call& call, const Credential& credential
    ) override;

    // When keys were used: for the sweep that writes it.
    KeyUsage& key_usage() { return key_usage_; }

 private:
    struct Proved {
        Principal principal;
        std::chrono::microseconds lifetime;
    };
    Result<Proved> prove(const Call& call, const Credential& credential);
    Result<Proved> prove_api_key(const Call& call, const Credential& credential);
    Result<Proved> prove_user(
        const Call& call, const AccessClaims& claims, const std::string& choice
    );
    Result<Proved> prove_agent(
        const Call& call, const AccessClaims& claims, const std::string& choice
    );
    std::chrono::microseconds until(Timestamp expires_at) const;

    db::Database& database_;
    tenant::TenantDirectory& tenants_;
    agent_registry::AgentDirectory& agents_;
    const AccessTokens& tokens_;
    PrincipalCache& cache_;
    KeyUsage key_usage_;
    const Clock& clock_;
};

}  // namespace synapsex::auth
