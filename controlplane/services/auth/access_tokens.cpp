#include "controlplane/services/auth/access_tokens.hpp"

#include <algorithm>

#include "controlplane/services/auth/jwt.hpp"
#include "controlplane/services/auth/problems.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::auth {

namespace {

constexpr std::string_view kType = "at+jwt";

std::int64_t to_seconds(Timestamp instant) {
    return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

Timestamp from_seconds(std::int64_t seconds) { return Timestamp{std::chrono::seconds{seconds}}; }

std::optional<AccessClaims> read_subject(const JwtClaims& claims) {
    AccessClaims access;
    const auto tenant = TenantId::parse(claims.tid);
    if (!tenant) return std::nullopt;
    access.tenant = *tenant;
    access.issued_at = from_seconds(claims.iat.value_or(0));
    access.expires_at = from_seconds(*claims.exp);
    if (const auto agent = AgentId::parse(claims.sub)) {
        access.agent = *agent;
        access.agent_key = claims.agent_key;
        return access;
    }
    const auto user = UserId::parse(claims.sub);
    const auto session = SessionId::parse(claims.sid);
    if (!user || !session) return std::nullopt;
    access.user = *user;
    access.session = *session;
    return access;
}

}  // namespace

AccessTokens::AccessTokens(
    std::string issuer, crypto::SigningKeys keys, const Clock& clock, Random& random
)
    : issuer_(std::move(issuer)),
      keys_(std::move(keys)),
      key_id_(keys_.signer->key_id()),
      clock_(clock),
      random_(random) {}

std::string AccessTokens::issue_to_user(
    const TenantId& tenant, const UserId& user, const SessionId& session
) const {
    JwtClaims claims;
    claims.sub = user.text();
    claims.sid = session.text();
    return issue(std::move(claims), tenant);
}

std::string AccessTokens::issue_to_agent(
    const TenantId& tenant, const AgentId& agent, std::string_view key_id
) const {
    JwtClaims claims;
    claims.sub = agent.text();
    claims.agent_key = key_id;
    return issue(std::move(claims), tenant);
}

std::string AccessTokens::issue(JwtClaims claims, const TenantId& tenant) const {
    constexpr std::size_t kTokenIdSize = 22;  // 131 bits
    const auto now = to_seconds(clock_.now());
    claims.iss = issuer_;
    claims.aud.emplace_back(kAudience);
    claims.iat = now;
    claims.exp = now + kLifetime.count();
    claims.jti = random_.base62(kTokenIdSize);
    claims.tid = tenant.text();
    return sign_jwt(*keys_.signer, kType, key_id_, claims);
}

Result<AccessClaims> AccessTokens::verify(std::string_view token) const {
    const auto jwt = parse_jwt(token);
    if (!jwt || jwt->typ != kType) return credential_invalid();
    const auto* key = keys_.find(jwt->kid);
    if (!key || !jwt->has_valid_signature(key->bytes)) return credential_invalid();
    const auto& claims = jwt->claims;
    const bool is_for_us = std::ranges::find(claims.aud, kAudience) != claims.aud.end();
    if (claims.iss != issuer_ || !is_for_us || !claims.exp) return credential_invalid();
    const auto now = to_seconds(clock_.now());
    if (claims.nbf && now < *claims.nbf) return credential_invalid();
    if (now >= *claims.exp) return credential_expired();
    if (!claims.iat || *claims.iat > now + kSkewMax.count()) return credential_expired();
    const auto access = read_subject(claims);
    if (!access) return credential_invalid();
    return *access;
}

JwkSet AccessTokens::jwks() const {
    JwkSet set;
    for (const auto& key : keys_.published) {
        auto& published = set.keys.emplace_back();
        published.kid = key.key_id;
        published.x = crypto::to_base64url(key.bytes);
    }
    return set;
}

}  // namespace synapsex::auth
