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
      sessions_(
          {parts.database, parts.tenants, parts.tokens, parts.cache, parts.clock, parts.random}
      ),
      limits_(parts.database, parts.clock),
      refused_(parts.database, parts.tenants, parts.clock, parts.random),
      logins_succeeded_(login_counter(parts.metrics, "succeeded")),
      logins_refused_(login_counter(parts.metrics, "refused")) {}

Result<TokenPair> AuthService::register_user(const Call& call, const Register& wish) {
    if (mode_ == RegistrationMode::closed) return registration_closed();
    Registrant registrant{wish.email.value, wish.password.value, {}, local_part(wish.email.value)};
    if (wish.full_name) {
        registrant.full_name = wish.full_name->value;
        registrant.tenant_name = wish.full_name->value;
    }
    SYNAPSEX_TRY(const auto user, parts_.registration.register_user(call, registrant));
    SYNAPSEX_TRY(auto pair, sessions_.begin(call, user, {}));
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
        SYNAPSEX_TRY(
            const auto checked, check_password(call, login.email.value, login.password.value)
        );
        SYNAPSEX_TRY(auto pair, sessions_.begin(call, checked.user, checked.better_hash));
        if (pair) return *std::move(pair);
    }
    return busy();
}

Result<AuthService::Checked> AuthService::check_password(
    const Call& call, const std::string& address, const std::string& password
) {
    // What is no address has no user either, and is counted as it was typed.
    const auto email = normalize_email(address).value_or(address);
    const auto place = place_of(call.client_address);
    const auto subject = SignInLimits::subject_of(email, place);
    const auto now = parts_.clock.now();
    struct Found {
        std::optional<UserRow> user;
        SignInLimits::Known known;
    };
    SYNAPSEX_TRY(
        auto found, parts_.database.read(call, [&](db::Session& session) -> Result<Found> {
            SessionStore store{session};
            return Found{
                AuthStore{session}.find_user(email),
                {store.find_locks(subject[0], subject[1], subject[2]),
                 store.has_session_at(email, place, now)}
            };
        })
    );
    const bool is_known = found.user && found.user->state == UserState::active;
    const auto user = is_known ? std::optional{found.user->user_id} : std::nullopt;
    auto attempt = limits_.enter(subject, found.known);
    if (!attempt) {
        refused_.note(call, user, RefusedSignIns::Reason::held_up);
        return attempt.error();
    }
    SYNAPSEX_TRY(
        auto verdict,
        parts_.passwords.check(
            call, password, is_known ? std::optional{found.user->password_hash} : std::nullopt
        )
    );
    if (!verdict.is_right) {
        SYNAPSEX_CHECK(attempt->failed(call));
        refused_.note(call, user, RefusedSignIns::Reason::wrong);
        return login_failed();
    }
    SYNAPSEX_CHECK(attempt->succeeded(call));
    return Checked{*std::move(found.user), std::move(verdict.better_hash)};
}

Result<api::None> AuthService::change_password(const Call& call, const ChangePassword& wish) {
    // The one effect of the call is the write below (db/effect.hpp).
    auto checking = call;
    checking.effect = nullptr;
    auto checked = check_password(checking, call.principal->email, wish.current_password.value);
    if (!checked && checked.error().kind == Kind::unauthenticated) return password_wrong();
    if (!checked) return checked.error();
    SYNAPSEX_TRY(const auto hash, parts_.passwords.hash(call, wish.new_password.value));
    const auto& user = checked->user;
    const auto now = parts_.clock.now();
    const auto news = outbox::MessageId::make(now, parts_.random);
    const EndedSessions others{now, parts_.random};
    const auto current = session_of(call);
    std::vector<SessionId> ended;
    SYNAPSEX_CHECK(parts_.database.write(call, [&](db::Session& session) -> Result<api::None> {
        AuthStore store{session};
        // Changed meanwhile, or by a recovery: what was given is no more the current one.
        if (!store.has_password(user.user_id, user.password_hash)) return password_wrong();
        store.replace_password_hash(user.user_id, user.password_hash, hash, now);
        ended = SessionStore{session}.end_others(user.user_id, current.text());
        SessionStore{session}.set_signed_in(current, now);
        wakeups::tell(session, kKeyRevoked, current.text());
        const auto data = api::JsonObjectText{}
                              .add("sessionsEnded", std::to_string(ended.size()))
                              .finish();
        outbox::add(
            session, call, {news, now, "user.password_changed", user.user_id.text(), data}
        );
        others.tell(session, call, ended, "password_changed");
        return api::None{};
    }));
    ended.push_back(current);  // that it was signed in to now counts at once
    sessions_.forget(ended);
    return api::None{};
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
