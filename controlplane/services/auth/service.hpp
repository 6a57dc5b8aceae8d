#pragma once

// Signing in, staying signed in, and API keys.

#include <chrono>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/metrics.hpp"
#include "controlplane/platform/wakeups/wakeups.hpp"
#include "controlplane/services/auth/access_tokens.hpp"
#include "controlplane/services/auth/password_gate.hpp"
#include "controlplane/services/auth/principal_cache.hpp"
#include "controlplane/services/auth/registration.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::auth {

inline constexpr std::chrono::hours kSessionLifetime{30 * 24};  // from its last refresh
inline constexpr std::int64_t kSessionsMax = 100;               // of a user; the oldest end
inline constexpr std::int64_t kApiKeysMax = 100;                // of a user in a tenant; then 409
inline constexpr std::int64_t kRevokedKeysKept = 100;           // so that they read as revoked …
inline constexpr std::chrono::hours kRevokedKeysKeptFor{30 * 24};  // … this long

// The key's id; or a session's that somebody else has ended.
inline constexpr wakeups::Topic kKeyRevoked{"auth.key_revoked"};

enum class RegistrationMode { closed, open };

struct FirstOwnerWish {
    std::string email;
    std::string full_name;
    std::string password;
    std::string tenant_name;
};

struct FirstOwner {
    UserId user_id;
    TenantId tenant_id;
    std::string tenant_slug;
};

class AuthService {
 public:
    struct Parts {
        db::Database& database;
        tenant::TenantDirectory& tenants;
        Registration& registration;
        PasswordGate& passwords;
        const AccessTokens& tokens;
        PrincipalCache& cache;
        const Clock& clock;
        Random& random;
        Metrics& metrics;
    };
    AuthService(const Parts& parts, RegistrationMode mode);

    Result<TokenPair> register_user(const Call& call, const Register& wish);
    // An unknown e-mail takes as long and reads the same as a wrong password.
    Result<TokenPair> login(const Call& call, const Login& login);
    // Uses the token up: of two who bring the same one, one wins.
    Result<TokenPair> refresh(const Call& call, const Refresh& refresh);
    // Forgets the sessions that have expired.
    Result<Done> prune_sessions(const Call& call);

    // The caller's own keys, in the tenant of the call. Only who signed in makes one, no API key:
    // the operation says so, else whoever found a key would make others that outlive it.
    Result<ApiKeyPage> list_keys(const Call& call, const ListApiKeys& wish);
    Result<CreatedApiKey> create_key(const Call& call, const CreateApiKey& wish);
    Result<Done> revoke_key(const Call& call, const ApiKeyId& key);

    // Says what authentication found; no database.
    Me me(const Call& call) const;

    // Kind::conflict auth.already_initialized if anybody has registered.
    Result<FirstOwner> create_first_owner(const Call& call, const FirstOwnerWish& wish);
    Result<bool> has_users(const Call& call);

 private:
    Result<TokenPair> try_login(const Call& call, const Login& login);
    struct Checked {
        UserRow user;
        std::optional<std::string> better_hash;  // of the same password
    };
    Result<Checked> check_password(const Call& call, const Login& login);
    // nullopt: the user has another password by now.
    Result<std::optional<TokenPair>> sign_in(const Call& call, const Checked& checked);
    Result<TenantId> default_tenant(const Call& call, const UserId& user);
    TokenPair make_pair(const SignedInRow& user, const TenantId& tenant, std::string refresh) const;

    Parts parts_;
    RegistrationMode mode_;
    Counter& logins_succeeded_;
    Counter& logins_refused_;
};

}  // namespace synapsex::auth
