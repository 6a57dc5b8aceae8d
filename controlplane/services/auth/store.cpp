#include "controlplane/services/auth/store.hpp"

#include <array>

namespace synapsex::auth {

namespace {

using db::Query;

constexpr Query kHasActiveUsers{"auth.has_active_users", R"sql(
    SELECT user_id FROM auth_users WHERE state = 'active' LIMIT 1)sql"};

constexpr Query kFindUser{"auth.find_user", R"sql(
    SELECT user_id, email, password_hash, full_name, state, updated_at
    FROM auth_users WHERE email = $1)sql"};

constexpr Query kInsertUser{"auth.insert_user", R"sql(
    INSERT INTO auth_users
        (user_id, email, password_hash, full_name, state, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $6)
    ON CONFLICT (email) DO NOTHING RETURNING user_id)sql"};

constexpr Query kRestartRegistration{"auth.restart_registration", R"sql(
    UPDATE auth_users SET password_hash = $2, full_name = $3, updated_at = $4
    WHERE user_id = $1 AND state = 'registering' AND password_hash <> '')sql"};

// Without a password: see restart_registration and activate_user.
constexpr Query kTakeOverRegistration{"auth.take_over_registration", R"sql(
    UPDATE auth_users SET password_hash = '', updated_at = $2
    WHERE user_id = $1 AND state = 'registering')sql"};

// The hash says whose try this is: every try salts anew.
constexpr Query kActivateUser{"auth.activate_user", R"sql(
    UPDATE auth_users SET state = 'active', updated_at = $3
    WHERE user_id = $1 AND state = 'registering' AND password_hash = $2)sql"};

constexpr Query kHasPassword{"auth.has_password", R"sql(
    SELECT user_id FROM auth_users
    WHERE user_id = $1 AND password_hash = $2 AND state = 'active')sql"};

constexpr Query kReplacePasswordHash{"auth.replace_password_hash", R"sql(
    UPDATE auth_users SET password_hash = $3, updated_at = $4
    WHERE user_id = $1 AND password_hash = $2)sql"};

constexpr Query kRecoverUser{"auth.recover_user", R"sql(
    UPDATE auth_users SET password_hash = $2, state = 'active', updated_at = $3
    WHERE user_id = $1 AND state <> 'abandoned')sql"};

constexpr Query kFindEmail{"auth.find_email", R"sql(
    SELECT email FROM auth_users WHERE user_id = $1 AND state = 'active')sql"};

constexpr Query kAbandonRegistrations{"auth.abandon_registrations", R"sql(
    UPDATE auth_users SET state = 'abandoned', updated_at = $2
    WHERE user_id IN (
        SELECT user_id FROM auth_users WHERE state <> 'active' AND updated_at < $1
        ORDER BY updated_at LIMIT $3)
    RETURNING user_id, email, password_hash, full_name, state, updated_at)sql"};

constexpr Query kDeleteAbandoned{"auth.delete_abandoned_user", R"sql(
    DELETE FROM auth_users WHERE user_id = $1 AND state = 'abandoned')sql"};

constexpr Query kInsertSession{"auth.insert_session", R"sql(
    INSERT INTO auth_sessions
        (session_id, user_id, refresh_hash, created_at, signed_in_at, refreshed_at, expires_at,
         family_hash, last_address, place, user_agent)
    VALUES ($1, $2, $3, $4, $4, $4, $5, $6, $7, $8, $9))sql"};

constexpr Query kEndOldestSessions{"auth.end_oldest_sessions", R"sql(
    DELETE FROM auth_sessions WHERE user_id = $1 AND session_id NOT IN (
        SELECT session_id FROM auth_sessions WHERE user_id = $1
        ORDER BY refreshed_at > $3, refreshed_at DESC, session_id DESC LIMIT $2)
    RETURNING session_id)sql"};

constexpr Query kEndSessions{"auth.end_sessions", R"sql(
    DELETE FROM auth_sessions WHERE user_id = $1 RETURNING session_id)sql"};

constexpr Query kPruneSessions{"auth.prune_sessions", R"sql(
    DELETE FROM auth_sessions WHERE session_id IN (
        SELECT session_id FROM auth_sessions WHERE expires_at <= $1
        ORDER BY expires_at LIMIT $2))sql"};

constexpr Query kFindSession{"auth.find_session", R"sql(
    SELECT u.user_id, u.email, u.full_name, s.session_id,
        coalesce(s.signed_in_at, s.created_at) AS signed_in_at
    FROM auth_sessions s JOIN auth_users u ON u.user_id = s.user_id
    WHERE s.session_id = $1 AND s.expires_at > $2 AND s.refreshed_at <= $3
        AND u.state = 'active')sql"};

constexpr Query kInsertKey{"auth.insert_key", R"sql(
    INSERT INTO auth_api_keys
        (tenant_id, key_id, user_id, name, description, prefix, secret_hash, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql"};

constexpr Query kCountKeys{"auth.count_keys", R"sql(
    SELECT count(*) AS keys FROM auth_api_keys
    WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL)sql"};

constexpr Query kListKeys{"auth.list_keys", R"sql(
    SELECT key_id AS id, name, description, prefix, created_at, last_used_at
    FROM auth_api_keys
    WHERE tenant_id = $1 AND user_id = $2 AND key_id > $3 AND revoked_at IS NULL
    ORDER BY key_id LIMIT $4)sql"};

constexpr Query kRevokeKey{"auth.revoke_key", R"sql(
    UPDATE auth_api_keys SET revoked_at = coalesce(revoked_at, $4)
    WHERE tenant_id = $1 AND user_id = $2 AND key_id = $3 RETURNING revoked_at)sql"};

constexpr Query kPruneKeys{"auth.prune_keys", R"sql(
    DELETE FROM auth_api_keys
    WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NOT NULL AND key_id NOT IN (
        SELECT key_id FROM auth_api_keys
        WHERE tenant_id = $1 AND user_id = $2 AND revoked_at >= $3
        ORDER BY revoked_at DESC, key_id DESC LIMIT $4))sql"};

constexpr Query kSetLastUsed{"auth.set_last_used", R"sql(
    UPDATE auth_api_keys SET last_used_at = $3
    WHERE tenant_id = $1 AND key_id = $2 AND (last_used_at IS NULL OR last_used_at < $3))sql"};

constexpr Query kFindKey{"auth.find_key", R"sql(
    SELECT k.tenant_id, k.key_id, k.user_id, u.email, u.full_name, k.created_at, k.revoked_at
    FROM auth_api_keys k JOIN auth_users u ON u.user_id = k.user_id
    WHERE k.secret_hash = $1)sql"};

constexpr Query kInsertAssertion{"auth.insert_assertion", R"sql(
    INSERT INTO auth_used_assertions (tenant_id, agent_id, jti, expires_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, agent_id, jti) DO NOTHING RETURNING jti)sql"};

constexpr Query kPruneAssertions{"auth.prune_assertions", R"sql(
    DELETE FROM auth_used_assertions WHERE (tenant_id, agent_id, jti) IN (
        SELECT tenant_id, agent_id, jti FROM auth_used_assertions WHERE expires_at <= $1
        ORDER BY expires_at LIMIT $2))sql"};

constexpr Query kCountRows{"auth.count_rows", R"sql(
    SELECT 'auth_api_keys' AS "table", count(*) AS rows FROM auth_api_keys WHERE tenant_id = $1
    UNION ALL SELECT 'auth_used_assertions', count(*) FROM auth_used_assertions
    WHERE tenant_id = $1)sql"};
constexpr Query kPurgeKeys{"auth.purge_keys", R"sql(
    DELETE FROM auth_api_keys WHERE tenant_id = $1)sql"};
constexpr Query kPurgeAssertions{"auth.purge_assertions", R"sql(
    DELETE FROM auth_used_assertions WHERE tenant_id = $1)sql"};

constexpr std::array kQueries{
    &kHasActiveUsers,      &kFindUser,        &kInsertUser,           &kRestartRegistration,
    &kActivateUser,        &kDeleteAbandoned, &kAbandonRegistrations, &kReplacePasswordHash,
    &kInsertSession,       &kPruneSessions,   &kEndOldestSessions,    &kFindSession,
    &kInsertKey,           &kCountKeys,
    &kListKeys,            &kRevokeKey,       &kPruneKeys,            &kSetLastUsed,
    &kFindKey,             &kInsertAssertion, &kPruneAssertions,      &kRecoverUser,
    &kFindEmail,           &kEndSessions,     &kHasPassword,          &kTakeOverRegistration,
    &kCountRows,           &kPurgeKeys,       &kPurgeAssertions,
};

std::vector<SessionId> ids_of(const db::Rows& rows) {
    std::vector<SessionId> sessions;
    for (std::size_t i = 0; i < rows.size(); ++i)
        sessions.push_back(rows[i].get<SessionId>("session_id"));
    return sessions;
}

}  // namespace

std::span<const Query* const> AuthStore::queries() { return kQueries; }

bool AuthStore::has_active_users() { return !session_.query(kHasActiveUsers).empty(); }

std::optional<UserRow> AuthStore::find_user(std::string_view email) {
    return session_.find<UserRow>(kFindUser, email);
}

bool AuthStore::insert_user(const UserRow& user) {
    const auto rows = session_.query(
        kInsertUser, user.user_id, user.email, user.password_hash, user.full_name, user.state,
        user.updated_at
    );
    return !rows.empty();
}

bool AuthStore::restart_registration(const UserRow& user) {
    return session_.execute(
               kRestartRegistration, user.user_id, user.password_hash, user.full_name,
               user.updated_at
           ) == 1;
}

bool AuthStore::activate_user(const UserRow& user, Timestamp now) {
    return session_.execute(kActivateUser, user.user_id, user.password_hash, now) == 1;
}

bool AuthStore::take_over_registration(const UserId& user, Timestamp now) {
    return session_.execute(kTakeOverRegistration, user, now) == 1;
}

bool AuthStore::has_password(const UserId& user, std::string_view password_hash) {
    return !session_.query(kHasPassword, user, password_hash).empty();
}

void AuthStore::replace_password_hash(
    const UserId& user, std::string_view old_hash, std::string_view new_hash, Timestamp now
) {
    session_.execute(kReplacePasswordHash, user, old_hash, new_hash, now);
}

bool AuthStore::recover_user(
    const UserId& user, std::string_view password_hash, Timestamp now
) {
    return session_.execute(kRecoverUser, user, password_hash, now) == 1;
}

std::optional<std::string> AuthStore::find_email(const UserId& user) {
    const auto rows = session_.query(kFindEmail, user);
    if (rows.empty()) return std::nullopt;
    return rows[0].get<std::string>("email");
}

std::vector<UserRow> AuthStore::abandon_registrations(
    Timestamp before, Timestamp now, std::int64_t limit
) {
    return session_.list<UserRow>(kAbandonRegistrations, before, now, limit);
}

void AuthStore::remove_abandoned_user(const UserId& user) {
    session_.execute(kDeleteAbandoned, user);
}

void AuthStore::insert_session(const SessionRow& session) {
    session_.execute(
        kInsertSession, session.session_id, session.user_id, session.refresh_hash,
        session.created_at, session.expires_at, session.family_hash, session.where.address,
        session.where.place, session.where.user_agent
    );
}

std::vector<SessionId> AuthStore::end_oldest_sessions(
    const UserId& user, std::int64_t keep, Timestamp latest
) {
    return ids_of(session_.query(kEndOldestSessions, user, keep, latest));
}

std::vector<SessionId> AuthStore::end_sessions(const UserId& user) {
    return ids_of(session_.query(kEndSessions, user));
}

std::int64_t AuthStore::prune_sessions(Timestamp now, std::int64_t limit) {
    return session_.execute(kPruneSessions, now, limit);
}

std::optional<SignedInRow> AuthStore::find_session(
    const SessionId& session, Timestamp now, Timestamp latest
) {
    return session_.find<SignedInRow>(kFindSession, session, now, latest);
}

void AuthStore::insert_key(const TenantId& tenant, const NewApiKey& key) {
    session_.execute(
        kInsertKey, tenant, key.key.id, key.user_id, key.key.name, key.key.description,
        key.key.prefix, key.secret_hash, key.key.created_at
    );
}

std::int64_t AuthStore::count_keys(const TenantId& tenant, const UserId& user) {
    return session_.query(kCountKeys, tenant, user)[0].get<std::int64_t>("keys");
}

std::vector<ApiKey> AuthStore::list_keys(
    const TenantId& tenant, const UserId& user, std::string_view after_key_id, std::int64_t limit
) {
    return session_.list<ApiKey>(kListKeys, tenant, user, after_key_id, limit);
}

std::optional<Timestamp> AuthStore::revoke_key(
    const TenantId& tenant, const UserId& user, const ApiKeyId& key, Timestamp now
) {
    const auto rows = session_.query(kRevokeKey, tenant, user, key, now);
    if (rows.empty()) return std::nullopt;
    return rows[0].get<Timestamp>("revoked_at");
}

void AuthStore::prune_keys(
    const TenantId& tenant, const UserId& user, Timestamp since, std::int64_t keep
) {
    session_.execute(kPruneKeys, tenant, user, since, keep);
}

void AuthStore::set_last_used(const TenantId& tenant, const ApiKeyId& key, Timestamp at) {
    session_.execute(kSetLastUsed, tenant, key, at);
}

std::optional<ApiKeyRow> AuthStore::find_key(std::string_view secret_hash) {
    return session_.find<ApiKeyRow>(kFindKey, secret_hash);
}

bool AuthStore::insert_assertion(const TenantId& tenant, const UsedAssertion& assertion) {
    const auto rows = session_.query(
        kInsertAssertion, tenant, assertion.agent_id, assertion.jti, assertion.expires_at
    );
    return !rows.empty();
}

std::int64_t AuthStore::prune_assertions(Timestamp now, std::int64_t limit) {
    return session_.execute(kPruneAssertions, now, limit);
}

std::vector<TableCount> AuthStore::count_rows(const TenantId& tenant) {
    return session_.list<TableCount>(kCountRows, tenant);
}

void AuthStore::remove_rows(const TenantId& tenant) {
    session_.execute(kPurgeKeys, tenant);
    session_.execute(kPurgeAssertions, tenant);
}

}  // namespace synapsex::auth
