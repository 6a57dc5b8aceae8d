#include "controlplane/services/auth/service.hpp"

#include "controlplane/platform/api/json_object_text.hpp"
#include "controlplane/platform/outbox/outbox.hpp"
#include "controlplane/services/auth/email.hpp"
#include "controlplane/services/auth/problems.hpp"
#include "controlplane/services/auth/secrets.hpp"
#include "controlplane/services/auth/store.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::auth {

namespace {

constexpr std::int64_t kPruneBatch = 500;

std::string local_part(const std::string& email) { return email.substr(0, email.find('@')); }

Counter& login_counter(Metrics& metrics, const std::string& outcome) {
    return metrics.counter(
        "synapsex_auth_logins_total", "Sign-ins with a password, by outcome.",
        {{"outcome", outcome}}
    );
}

}  // namespace

AuthService::AuthService(const Parts& parts, RegistrationMode mode)
    : parts_(parts),
      mode_(mode),
      logins_succeeded_(login_counter(parts.metrics, "succeeded")),
      logins_refused_(login_counter(parts.metrics, "refused")) {}

Result<TokenPair> AuthService::register_user(const Call& call, const Register& wish) {
    if (mode_ == RegistrationMode::closed) return registration_closed();
    Registrant registrant{wish.email.value, wish.password.value, {}, local_part(wish.email.value)};
    if (wish.full_name) {
        registrant.full_name = wish.full_name->value;
        registrant.tenant_name = wish.full_name->value;
    }
    SYNAPSEX_TRY(auto user, parts_.registration.register_user(call, registrant));
    SYNAPSEX_TRY(auto pair, sign_in(call, {std::move(user), {}}));
    if (!pair) return login_failed();
    return *std::move(pair);
}

Result<TokenPair> AuthService::login(const Call& call, const Login& login) {
    auto pair = try_login(call, login);
    (pair ? logins_succeeded_ : logins_refused_).add();
    return pair;
}

Result<TokenPair> AuthService::try_login(const Call& call, const Login& login) {
    // Again where the password was changed between its check and the session.
    for (int tries = 0; tries < 2; ++tries) {
        SYNAPSEX_TRY(const auto checked, check_password(call, login));
        SYNAPSEX_TRY(auto pair, sign_in(call, checked));
        if (pair) return *std::move(pair);
    }
    return busy();
}

Result<AuthService::Checked> AuthService::check_password(const Call& call, const Login& login) {
    // What is no address has no user either.
    const auto email = normalize_email(login.email.value).value_or("");
    SYNAPSEX_TRY(
        auto found,
        parts_.database.read(call, [&](db::Session& session) -> Result<std::optional<UserRow>> {
            return AuthStore{session}.find_user(email);
        })
    );
    const bool is_known = found && found->state == UserState::active;
    SYNAPSEX_TRY(
        auto verdict,
        parts_.passwords.check(
            call, login.password.value,
            is_known ? std::optional{found->password_hash} : std::nullopt
        )
    );
    if (!verdict.is_right) return login_failed();
    return Checked{*std::move(found), std::move(verdict.better_hash)};
}

Result<std::optional<TokenPair>> AuthService::sign_in(const Call& call, const Checked& checked) {
    const auto& user = checked.user;
    SYNAPSEX_TRY(const auto tenant, default_tenant(call, user.user_id));
    const auto now = parts_.clock.now();
    const auto refresh = make_refresh_token(parts_.random);
    const SessionRow row{
        SessionId::make(now, parts_.random), user.user_id, crypto::sha256_hex(refresh), now,
        now + kSessionLifetime
    };
    SYNAPSEX_TRY(
        const bool is_current,
        parts_.database.write(call, [&](db::Session& session) -> Result<bool> {
            AuthStore store{session};
            // Or a recovery that has ended all sessions would miss this one.
            if (!store.has_password(user.user_id, user.password_hash)) return false;
            if (checked.better_hash)
                store.replace_password_hash(
                    user.user_id, user.password_hash, *checked.better_hash, now
                );
            store.insert_session(row);
            store.end_oldest_sessions(
                user.user_id, kSessionsMax, AccessTokens::latest_issue(now)
            );
            return true;
        })
    );
    if (!is_current) return std::optional<TokenPair>{};
    return std::optional{
        make_pair({user.user_id, user.email, user.full_name, row.session_id}, tenant, refresh)
    };
}

Result<TokenPair> AuthService::refresh(const Call& call, const Refresh& refresh) {
    if (refresh.refreshToken.has_value() == refresh.refresh_token.has_value())
        return refresh_missing();
    const auto& token = refresh.refreshToken ? *refresh.refreshToken : *refresh.refresh_token;
    if (!is_refresh_token(token.value)) return refresh_invalid();
    const auto old_hash = crypto::sha256_hex(token.value);
    const auto now = parts_.clock.now();
    SYNAPSEX_TRY(
        const auto user,
        parts_.database.read(call, [&](db::Session& session) -> Result<SignedInRow> {
            const auto row = AuthStore{session}.find_session_by_refresh(
                old_hash, now, AccessTokens::latest_issue(now)
            );
            if (!row) return refresh_invalid();
            return *row;
        })
    );
    SYNAPSEX_TRY(const auto tenant, default_tenant(call, user.user_id));
    // Last, so that nothing can fail once the old token is gone.
    const auto next = make_refresh_token(parts_.random);
    const auto next_hash = crypto::sha256_hex(next);
    SYNAPSEX_CHECK(parts_.database.write(call, [&](db::Session& session) -> Result<Done> {
        const bool has_won = AuthStore{session}.rotate_refresh(
            old_hash, next_hash, now, now + kSessionLifetime
        );
        if (!has_won) return refresh_invalid();
        return Done{};
    }));
    return make_pair(user, tenant, next);
}

Result<Done> AuthService::prune_sessions(const Call& call) {
    const auto now = parts_.clock.now();
    const auto prune_batch = [&](db::Session& session) -> Result<std::int64_t> {
        return AuthStore{session}.prune_sessions(now, kPruneBatch);
    };
    // In batches, so that others write in between.
    for (;;) {
        SYNAPSEX_TRY(const auto pruned, parts_.database.write(call, prune_batch));
        if (pruned < kPruneBatch) return Done{};
    }
}

Result<TenantId> AuthService::default_tenant(const Call& call, const UserId& user) {
    SYNAPSEX_TRY(const auto memberships, parts_.tenants.list_memberships(call, user));
    if (memberships.empty()) return no_tenant();
    return memberships.front().tenant_id;
}

TokenPair AuthService::make_pair(
    const SignedInRow& user, const TenantId& tenant, std::string refresh
) const {
    TokenPair pair;
    pair.access_token = parts_.tokens.issue_to_user(tenant, user.user_id, user.session_id);
    pair.refresh_token = std::move(refresh);
    pair.expires_in = AccessTokens::kLifetime.count();
    pair.user = {user.user_id, user.email, tenant};
    return pair;
}

Result<ApiKeyPage> AuthService::list_keys(const Call& call, const ListApiKeys& wish) {
    SYNAPSEX_TRY(const auto after, api::decode_id_cursor<ApiKeyId>(wish.cursor));
    const std::int64_t limit = wish.limit.value;
    return parts_.database.read(call, [&](db::Session& session) -> Result<ApiKeyPage> {
        ApiKeyPage page;
        page.items = AuthStore{session}.list_keys(
            call.tenant, call.principal->user, after, limit + 1
        );
        page.next_cursor = api::cut_page(page.items, limit, [](const ApiKey& key) {
            return key.id.text();
        });
        return page;
    });
}

Result<CreatedApiKey> AuthService::create_key(const Call& call, const CreateApiKey& wish) {
    const auto now = parts_.clock.now();
    const auto& user = call.principal->user;
    const auto secret = make_api_key(parts_.random);
    const auto id = ApiKeyId::make(now, parts_.random);
    const auto description = wish.description ? wish.description->value : std::string{};
    const NewApiKey key{
        user, {id, wish.name.value, description, api_key_display_prefix(secret), now, {}},
        crypto::sha256_hex(secret)
    };
    const auto news = outbox::MessageId::make(now, parts_.random);
    SYNAPSEX_TRY(const auto limits, parts_.tenants.get_limits(call, call.tenant));
    return parts_.database.write(call, [&](db::Session& session) -> Result<CreatedApiKey> {
        AuthStore store{session};
        const auto keys = store.count_keys(call.tenant, user);
        if (keys >= kApiKeysMax) return key_limit_reached(kApiKeysMax);
        if (!limits.have_room(tenant::LimitName::keys, keys))
            return limits.reached(
                "auth.key_limit_reached", tenant::LimitName::keys, keys, "Revoke one first."
            );
        store.prune_keys(call.tenant, user, now - kRevokedKeysKeptFor, kRevokedKeysKept);
        store.insert_key(call.tenant, key);
        const auto data = api::JsonObjectText{}
                              .add_text("id", id.text())
                              .add_text("name", key.key.name)
                              .add_text("prefix", key.key.prefix)
                              .finish();
        outbox::add(session, call, {news, now, "api_key.created", id.text(), data});
        return CreatedApiKey{id, key.key.name, description, key.key.prefix, now, secret};
    });
}

Result<Done> AuthService::revoke_key(const Call& call, const ApiKeyId& key) {
    const auto now = parts_.clock.now();
    const auto news = outbox::MessageId::make(now, parts_.random);
    SYNAPSEX_CHECK(parts_.database.write(call, [&](db::Session& session) -> Result<Done> {
        const auto revoked_at =
            AuthStore{session}.revoke_key(call.tenant, call.principal->user, key, now);
        if (!revoked_at) return key_not_found();
        if (*revoked_at == now)
            outbox::add(session, call, {news, now, "api_key.revoked", key.text()});
        wakeups::tell(session, kKeyRevoked, key.text());
        return Done{};
    }));
    parts_.cache.forget_credential(key.text());
    return Done{};
}

Me AuthService::me(const Call& call) const {
    const auto& principal = *call.principal;
    Me me;
    me.kind = principal.kind == PrincipalKind::api_key ? "api_key" : "user";
    me.id = principal.user;
    me.email = principal.email;
    me.full_name = principal.full_name;
    me.tenant_id = principal.tenant;
    me.role = principal.role;
    me.credential_id = principal.credential_id;
    for (const auto& grant : kScopes)
        if (principal.scopes.contains(grant.scope)) me.scopes.emplace_back(grant.scope);
    return me;
}

Result<FirstOwner> AuthService::create_first_owner(const Call& call, const FirstOwnerWish& wish) {
    SYNAPSEX_TRY(const bool is_used, has_users(call));
    if (is_used) return already_initialized();
    SYNAPSEX_TRY(
        const auto user,
        parts_.registration.register_user(
            call, {wish.email, wish.password, wish.full_name, wish.tenant_name}
        )
    );
    SYNAPSEX_TRY(const auto memberships, parts_.tenants.list_memberships(call, user.user_id));
    if (memberships.empty()) return no_tenant();
    return FirstOwner{user.user_id, memberships.front().tenant_id, memberships.front().slug};
}

Result<bool> AuthService::has_users(const Call& call) {
    return parts_.database.read(call, [&](db::Session& session) -> Result<bool> {
        return AuthStore{session}.has_active_users();
    });
}

}  // namespace synapsex::auth
