#pragma once

// Access tokens for agents: an agent signs an assertion with the key it enrolled with and gets a
// token for 15 minutes (RFC 7523, section 2.2; grant client_credentials).
//
// An agent that replaces its key (agent_registry/agent_keys.hpp) may sign with either of the two
// until it signs with the next one, which ends the former one and the tokens that it bought.
//
// An assertion is a JWT: EdDSA; iss and sub the agent's id; aud the issuer of this server; exp at
// most 60 s after iat; iat at most 60 s from the server's time; jti 1 to 128 printable characters,
// used once. Refusals, in the order they are checked:
//
//   400 auth.unsupported_grant         grant_type or client_assertion_type
//   400 auth.assertion_malformed       no such JWT, or one of the rules above
//   401 auth.assertion_skewed          with X-Server-Time: correct the clock and sign again
//   401 auth.assertion_expired         with X-Server-Time
//   401 auth.unknown_key               no such agent
//   401 auth.agent_revoked             the agent was removed
//   401 auth.key_replaced              signed with the agent's former key
//   401 auth.assertion_bad_signature
//   401 auth.assertion_replayed

#include <chrono>
#include <string>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/agent_registry/public.hpp"
#include "controlplane/services/auth/access_tokens.hpp"
#include "controlplane/services/auth/jwt.hpp"

namespace synapsex::auth {

class AgentTokens {
 public:
    static constexpr std::chrono::seconds kAssertionLifetimeMax{60};
    static constexpr std::chrono::seconds kSkewMax{60};
    static constexpr std::size_t kTokenIdMax = 128;

    AgentTokens(
        db::Database& database,
        agent_registry::AgentDirectory& agents,
        const AccessTokens& tokens,
        std::string issuer,
        const Clock& clock
    );

    Result<AccessToken> exchange(const Call& call, const TokenRequest& request);

    // Forgets the assertions that nobody could use again anyway.
    Result<Done> prune(const Call& call);

 private:
    // The agent that the assertion speaks for, if the assertion is in order and in time.
    Result<AgentId> check(const JwtClaims& claims) const;
    Result<Done> use_up(const Call& call, const TenantId& tenant, const Jwt& assertion);

    db::Database& database_;
    agent_registry::AgentDirectory& agents_;
    const AccessTokens& tokens_;
    const std::string issuer_;
    const Clock& clock_;
};

}  // namespace synapsex::auth
