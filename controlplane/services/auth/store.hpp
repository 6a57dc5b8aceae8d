#pragma once

// The SQL of auth-service. No rules, no clock.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/tenant_purge.hpp"
#include "controlplane/services/auth/api.hpp"

namespace synapsex::auth {

// registering: the user's tenant may not exist yet. abandoned: a sweep is taking the user back.
enum class UserState { registering, active, abandoned };
BOOST_DESCRIBE_ENUM(UserState, registering, active, abandoned)

struct UserRow {
    UserId user_id;
    std::string email;
    std::string password_hash;
    std::string full_name;
    UserState state = UserState::registering;
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(
    UserRow, (), (user_id, email, password_hash, full_name, state, updated_at)
)

// Where a session was begun or refreshed last, as far as the call says.
struct Whereabouts {
    std::string address;
    std::string place;  // the address as limits on sign-ins know it
    std::string user_agent;
};

struct SessionRow {
    SessionId session_id;
    UserId user_id;
    std::string refresh_hash;
    Timestamp created_at{};
    Timestamp expires_at{};
    std::string family_hash{};
    Whereabouts where{};
};

// A session or a key, and whose it is.
struct SignedInRow {
    UserId user_id;
    std::string email;
    std::string full_name;
    SessionId session_id;
    Timestamp signed_in_at{};
};
BOOST_DESCRIBE_STRUCT(SignedInRow, (), (user_id, email, full_name, session_id, signed_in_at))

struct ApiKeyRow {
    TenantId tenant_id;
    ApiKeyId key_id;
    UserId user_id;
    std::string email;
    std::string full_name;
    Timestamp created_at{};
    std::optional<Timestamp> revoked_at;
};
BOOST_DESCRIBE_STRUCT(
    ApiKeyRow, (), (tenant_id, key_id, user_id, email, full_name, created_at, revoked_at)
)

struct NewApiKey {
    UserId user_id;
    ApiKey key;
    std::string secret_hash;
};

struct UsedAssertion {
    AgentId agent_id;
    std::string jti;
    Timestamp expires_at{};
};

class AuthStore {
 public:
    explicit AuthStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    // Users belong to no tenant.
    bool has_active_users();
    std::optional<UserRow> find_user(std::string_view email);
    // False: the e-mail is taken, in whatever state.
    bool insert_user(const UserRow& user);
    // Another try at a registration that was not ended: new password and name, same id. False: it
    // has ended meanwhile, or is a recovery's.
    bool restart_registration(const UserRow& user);
    // It is a recovery's from now on: it has no password, and nobody else ends it. False: it has
    // ended meanwhile, or a sweep takes it.
    bool take_over_registration(const UserId& user, Timestamp now);
    // False: somebody else's try has taken over, or a sweep.
    bool activate_user(const UserRow& user, Timestamp now);
    // That the user is active, with this hash.
    bool has_password(const UserId& user, std::string_view password_hash);
    // Only while the stored hash is still `old_hash`.
    void replace_password_hash(
        const UserId& user, std::string_view old_hash, std::string_view new_hash, Timestamp now
    );
    // The user is active with this password. False: there is no such user, or a sweep takes them.
    bool recover_user(const UserId& user, std::string_view password_hash, Timestamp now);
    // Of a user who is active.
    std::optional<std::string> find_email(const UserId& user);
    // Takes registrations that were left before the instant, at most `limit`, out of everybody's
    // reach; also those that an earlier sweep took and did not finish.
    std::vector<UserRow> abandon_registrations(Timestamp before, Timestamp now, std::int64_t limit);
    void remove_abandoned_user(const UserId& user);

    void insert_session(const SessionRow& session);
    // All but the `keep` newest of the user, those later than `latest` first; which they were.
    std::vector<SessionId> end_oldest_sessions(
        const UserId& user, std::int64_t keep, Timestamp latest
    );
    // All of the user; which they were.
    std::vector<SessionId> end_sessions(const UserId& user);
    std::int64_t prune_sessions(Timestamp now, std::int64_t limit);
    // Begun or refreshed by `latest`, and not expired now.
    std::optional<SignedInRow> find_session(
        const SessionId& session, Timestamp now, Timestamp latest
    );

    void insert_key(const TenantId& tenant, const NewApiKey& key);
    // Not the revoked ones.
    std::int64_t count_keys(const TenantId& tenant, const UserId& user);
    std::vector<ApiKey> list_keys(
        const TenantId& tenant, const UserId& user, std::string_view after_key_id,
        std::int64_t limit
    );
    // When it was revoked: now, or before. nullopt: the user has no such key in the tenant.
    std::optional<Timestamp> revoke_key(
        const TenantId& tenant, const UserId& user, const ApiKeyId& key, Timestamp now
    );
    // Of the user's revoked keys keeps the newest `keep` that were revoked at `since` or later.
    void prune_keys(
        const TenantId& tenant, const UserId& user, Timestamp since, std::int64_t keep
    );
    void set_last_used(const TenantId& tenant, const ApiKeyId& key, Timestamp at);
    // Across tenants: the key says which one. Also a revoked one.
    std::optional<ApiKeyRow> find_key(std::string_view secret_hash);

    // False: the agent has used this jti.
    bool insert_assertion(const TenantId& tenant, const UsedAssertion& assertion);
    // How many.
    std::int64_t prune_assertions(Timestamp now, std::int64_t limit);

    // All that is here of a tenant.
    std::vector<TableCount> count_rows(const TenantId& tenant);
    void remove_rows(const TenantId& tenant);

 private:
    db::Session& session_;
};

}  // namespace synapsex::auth
