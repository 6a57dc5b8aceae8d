#include "controlplane/services/auth/agent_tokens.hpp"

#include <algorithm>

#include "controlplane/services/auth/problems.hpp"
#include "controlplane/services/auth/store.hpp"
#include "shared/crypto/ed25519.hpp"

namespace synapsex::auth {

namespace {

constexpr db::SystemScope kPruneAssertions{"auth.prune_assertions"};
constexpr std::int64_t kPruneBatch = 500;

constexpr std::string_view kGrantType = "client_credentials";
constexpr std::string_view kAssertionType =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

Timestamp from_seconds(std::int64_t seconds) { return Timestamp{std::chrono::seconds{seconds}}; }

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

AgentTokens::AgentTokens(
    db::Database& database,
    agent_registry::AgentDirectory& agents,
    const AccessTokens& tokens,
    std::string issuer,
    const Clock& clock
)
    : database_(database),
      agents_(agents),
      tokens_(tokens),
      issuer_(std::move(issuer)),
      clock_(clock) {}

Result<AccessToken> AgentTokens::exchange(const Call& call, const TokenRequest& request) {
    if (request.grant_type != kGrantType)
        return unsupported_grant("grant_type has to be client_credentials.");
    if (request.client_assertion_type != kAssertionType)
        return unsupported_grant("client_assertion_type has to be that of RFC 7523.");
    const auto assertion = parse_jwt(request.client_assertion.value);
    if (!assertion) return assertion_malformed("The assertion is no JWT signed with EdDSA.");
    SYNAPSEX_TRY(const auto agent, check(assertion->claims));
    SYNAPSEX_TRY(const auto identity, agents_.get_identity(call, agent));
    const bool is_by_next = assertion->has_valid_signature(identity.next_public_key);
    if (!is_by_next && !assertion->has_valid_signature(identity.public_key))
        return assertion->has_valid_signature(identity.former_public_key)
                   ? agent_key_replaced()
                   : assertion_bad_signature();
    SYNAPSEX_CHECK(use_up(call, identity.tenant_id, *assertion));
    const auto& key = is_by_next ? identity.next_public_key : identity.public_key;
    if (is_by_next)
        SYNAPSEX_CHECK(agents_.adopt_next_key(call.of_tenant(identity.tenant_id), agent, key));
    AccessToken token;
    token.access_token =
        tokens_.issue_to_agent(identity.tenant_id, agent, crypto::ed25519_key_id(key));
    token.expires_in = AccessTokens::kLifetime.count();
    return token;
}

Result<AgentId> AgentTokens::check(const JwtClaims& claims) const {
    const auto agent = AgentId::parse(claims.sub);
    if (!agent || claims.iss != claims.sub)
        return assertion_malformed("iss and sub have to be the id of the agent.");
    if (std::ranges::find(claims.aud, issuer_) == claims.aud.end())
        return assertion_malformed("aud has to be the issuer of this server, " + issuer_ + ".");
    if (claims.jti.empty() || claims.jti.size() > kTokenIdMax || !is_printable(claims.jti))
        return assertion_malformed("jti has to be 1 to 128 printable characters.");
    if (!claims.iat || !claims.exp) return assertion_malformed("iat and exp have to be there.");
    if (*claims.exp <= *claims.iat || *claims.exp - *claims.iat > kAssertionLifetimeMax.count())
        return assertion_malformed("exp has to be 1 to 60 s after iat.");

    const auto now = clock_.now();
    const auto issued_at = from_seconds(*claims.iat);
    // iat is a whole second, rounded down: allow for what the rounding took.
    const auto rounding = std::chrono::seconds{1};
    const bool is_skewed = issued_at > now + kSkewMax || issued_at + rounding < now - kSkewMax;
    if (is_skewed) return assertion_skewed(now);
    if (claims.nbf && from_seconds(*claims.nbf) > now + kSkewMax) return assertion_skewed(now);
    if (from_seconds(*claims.exp) <= now) return assertion_expired(now);
    return *agent;
}

Result<Done> AgentTokens::use_up(
    const Call& call, const TenantId& tenant, const Jwt& assertion
) {
    const auto& claims = assertion.claims;
    // Another replica's clock may be behind this one's, and takes the assertion that much longer.
    const UsedAssertion used{
        *AgentId::parse(claims.sub), claims.jti, from_seconds(*claims.exp) + kSkewMax
    };
    const auto in_tenant = call.of_tenant(tenant);
    return database_.write(in_tenant, [&](db::Session& session) -> Result<Done> {
        if (!AuthStore{session}.insert_assertion(tenant, used)) return assertion_replayed();
        return Done{};
    });
}

Result<Done> AgentTokens::prune(const Call& call) {
    const auto now = clock_.now();
    const auto prune_batch = [&](db::Session& session) -> Result<std::int64_t> {
        return AuthStore{session}.prune_assertions(now, kPruneBatch);
    };
    // In batches, so that others write in between.
    for (;;) {
        SYNAPSEX_TRY(const auto pruned, database_.write(kPruneAssertions, call, prune_batch));
        if (pruned < kPruneBatch) return Done{};
    }
}

}  // namespace synapsex::auth
