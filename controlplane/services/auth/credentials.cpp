#include "controlplane/services/auth/credentials.hpp"

#include <algorithm>

#include "controlplane/services/auth/problems.hpp"
#include "controlplane/services/auth/secrets.hpp"
#include "controlplane/services/auth/store.hpp"
#include "shared/crypto/ed25519.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::auth {

namespace {

constexpr db::SystemScope kFindApiKey{"auth.find_api_key"};

// What a credential acts under: a membership, a tenant; `refusal` if it is not there (any more).
template <class T>
Result<T> found_or(Problem refusal, Result<T> found) {
    if (!found && found.error().kind == Kind::not_found) return refusal;
    return found;
}

// A token ends with the key that bought it. One of an earlier release does not say which that was:
// it counts if it is younger than the key.
bool is_of_a_key_that_counts(
    const AccessClaims& claims, const agent_registry::AgentIdentity& identity
) {
    if (claims.agent_key.empty())
        return !identity.public_key.empty() &&
               (!identity.key_since || claims.issued_at > *identity.key_since);
    for (const auto& key : {identity.public_key, identity.next_public_key})
        if (!key.empty() && crypto::ed25519_key_id(key) == claims.agent_key) return true;
    return false;
}

}  // namespace

Credentials::Credentials(
    db::Database& database,
    const Directories& directories,
    const AccessTokens& tokens,
    PrincipalCache& cache,
    const Clock& clock
)
    : database_(database),
      tenants_(directories.tenants),
      agents_(directories.agents),
      tokens_(tokens),
      cache_(cache),
      key_usage_(database, clock),
      clock_(clock) {}

std::shared_ptr<const Principal> Credentials::find_cached(const Credential& credential) {
    return cache_.find(credential);
}

Result<std::shared_ptr<const Principal>> Credentials::authenticate(
    const Call& call, const Credential& credential
) {
    const auto epoch = cache_.epoch();
    // It ages from here: this process may be stopped for a while before it has an answer.
    const auto asked_at = clock_.steady_now();
    SYNAPSEX_TRY(auto proved, prove(call, credential));
    auto principal = std::make_shared<const Principal>(std::move(proved.principal));
    cache_.put(credential, principal, asked_at + proved.lifetime, epoch);
    return principal;
}

Result<Credentials::Proved> Credentials::prove(const Call& call, const Credential& credential) {
    if (credential.secret.starts_with(kApiKeyPrefix)) return prove_api_key(call, credential);
    SYNAPSEX_TRY(const auto claims, tokens_.verify(credential.secret));
    return claims.agent.empty() ? prove_user(call, claims, credential.tenant)
                                : prove_agent(call, claims, credential.tenant);
}

Result<Credentials::Proved> Credentials::prove_api_key(
    const Call& call, const Credential& credential
) {
    if (!is_api_key(credential.secret)) return credential_invalid();
    const auto hash = crypto::sha256_hex(credential.secret);
    SYNAPSEX_TRY(
        const auto key,
        database_.read(kFindApiKey, call, [&](db::Session& session) -> Result<ApiKeyRow> {
            const auto row = AuthStore{session}.find_key(hash);
            if (!row) return credential_invalid();
            if (row->revoked_at) return credential_revoked();
            return *row;
        })
    );
    // A key falls silent when its user leaves the tenant, and for good: who comes back makes new
    // ones.
    SYNAPSEX_TRY(
        const auto place,
        found_or(
            credential_revoked(), tenants_.get_membership(call, key.user_id, key.tenant_id.text())
        )
    );
    if (key.created_at < place.joined_at) return credential_revoked();
    const auto& choice = credential.tenant;
    if (!choice.empty() && choice != place.tenant_id.text() && choice != place.slug)
        return tenant_not_found();
    key_usage_.note(key.tenant_id, key.key_id);
    Principal principal;
    principal.kind = PrincipalKind::api_key;
    principal.tenant = key.tenant_id;
    principal.user = key.user_id;
    principal.credential_id = key.key_id.text();
    principal.role = place.role;
    principal.scopes = scopes_of(place.role);
    principal.standing = place.standing;
    principal.email = key.email;
    principal.full_name = key.full_name;
    return Proved{std::move(principal), kLifetime};
}

Result<Credentials::Proved> Credentials::prove_user(
    const Call& call, const AccessClaims& claims, const std::string& choice
) {
    const auto now = clock_.now();
    SYNAPSEX_TRY(
        const auto user,
        database_.read(call, [&](db::Session& session) -> Result<SignedInRow> {
            const auto row = AuthStore{session}.find_session(
                claims.session, now, AccessTokens::latest_issue(now)
            );
            if (!row || row->user_id != claims.user) return credential_revoked();
            return *row;
        })
    );
    SYNAPSEX_TRY(
        const auto place,
        found_or(
            choice.empty() ? credential_revoked() : tenant_not_found(),
            tenants_.get_membership(
                call, claims.user, choice.empty() ? claims.tenant.text() : choice
            )
        )
    );
    Principal principal;
    principal.kind = PrincipalKind::user;
    principal.tenant = place.tenant_id;
    principal.user = user.user_id;
    principal.credential_id = user.session_id.text();
    principal.signed_in_at = user.signed_in_at;
    principal.role = place.role;
    principal.scopes = scopes_of(place.role);
    principal.standing = place.standing;
    principal.email = user.email;
    principal.full_name = user.full_name;
    const auto lifetime =
        std::min<std::chrono::microseconds>(kLifetime, until(claims.expires_at));
    return Proved{std::move(principal), lifetime};
}

Result<Credentials::Proved> Credentials::prove_agent(
    const Call& call, const AccessClaims& claims, const std::string& choice
) {
    SYNAPSEX_TRY(const auto identity, agents_.get_identity(call, claims.agent));
    if (identity.tenant_id != claims.tenant) return credential_revoked();
    if (!is_of_a_key_that_counts(claims, identity)) return credential_revoked();
    if (!choice.empty() && choice != claims.tenant.text()) return tenant_not_found();
    SYNAPSEX_TRY(
        auto standing, found_or(credential_revoked(), tenants_.get_standing(call, claims.tenant))
    );
    Principal principal;
    principal.kind = PrincipalKind::agent;
    principal.tenant = claims.tenant;
    principal.standing = std::move(standing);
    principal.agent = claims.agent;
    principal.credential_id = claims.agent.text();
    const auto lifetime =
        std::min<std::chrono::microseconds>(kLifetime, until(claims.expires_at));
    return Proved{std::move(principal), lifetime};
}

std::chrono::microseconds Credentials::until(Timestamp expires_at) const {
    return expires_at - clock_.now();
}

}  // namespace synapsex::auth
