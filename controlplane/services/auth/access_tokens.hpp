#pragma once

// Access tokens: what they say, and whether to believe them. JWTs that live 15 minutes; the claims
// follow RFC 9068 where it applies (typ at+jwt, iss, sub, aud, iat, exp, jti), with `tid` for the
// tenant, `sid` for a user's session and `agent_key` for the key of an agent.

#include <chrono>
#include <string>
#include <string_view>

#include "controlplane/services/auth/api.hpp"
#include "controlplane/services/auth/jwt.hpp"
#include "shared/base/result.hpp"
#include "shared/crypto/signer.hpp"

namespace synapsex::auth {

// What a token that holds says. Either user and session are set, or agent is.
struct AccessClaims {
    TenantId tenant;
    UserId user;
    SessionId session;
    AgentId agent;
    std::string agent_key;  // the id of the key that bought it; empty: of an earlier release
    Timestamp issued_at{};
    Timestamp expires_at{};
};

// Any thread.
class AccessTokens {
 public:
    static constexpr std::chrono::seconds kLifetime{900};
    static constexpr std::chrono::seconds kSkewMax{60};  // between the clocks of replicas
    static constexpr std::string_view kAudience = "synapsex";
    // What was issued later than this, sessions too, is of a server whose clock was ahead. It would
    // hold for as long as the clock was wrong, so it does not count.
    static Timestamp latest_issue(Timestamp now) { return now + kSkewMax; }

    AccessTokens(std::string issuer, crypto::SigningKeys keys, const Clock& clock, Random& random);

    std::string issue_to_user(
        const TenantId& tenant, const UserId& user, const SessionId& session
    ) const;
    // `key_id` is that of the agent's key: the token ends with it.
    std::string issue_to_agent(
        const TenantId& tenant, const AgentId& agent, std::string_view key_id
    ) const;

    // By any published key. Kind::unauthenticated auth.credential_invalid or
    // auth.credential_expired, which is also one that was issued kSkewMax ahead of now: while this
    // server's clock was wrong, and it would hold until that time comes. It does not know what has
    // been revoked.
    Result<AccessClaims> verify(std::string_view token) const;

    JwkSet jwks() const;

 private:
    std::string issue(JwtClaims claims, const TenantId& tenant) const;

    std::string issuer_;
    crypto::SigningKeys keys_;
    std::string key_id_;  // of the one that signs
    const Clock& clock_;
    Random& random_;
};

}  // namespace synapsex::auth
