#pragma once

// Signing in, staying signed in, and API keys.

#include <chrono>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/metrics.hpp"
#include "controlplane/services/auth/access_tokens.hpp"
#include "controlplane/services/auth/password_gate.hpp"
#include "controlplane/services/auth/principal_cache.hpp"
#include "controlplane/services/auth/refused_sign_ins.hpp"
#include "controlplane/services/auth/registration.hpp"
#include "controlplane/services/auth/sessions.hpp"
#include "controlplane/services/auth/sign_in_limits.hpp"
#include "controlplane/services/tenant/public.hpp"

namespace synapsex::auth {

inline constexpr std::int64_t kApiKeysMax = 100;                // of a user in a tenant; then 409
inline constexpr std::int64_t kRevokedKeysKept = 100;           // so that they read as revoked …
inline constexpr std::chrono::hours kRevokedKeysKeptFor{30 * 24};  // … this long

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
    // An unknown e-mail takes as long and reads the same as a wrong password, and is held up alike:
    // Kind::rate_limited auth.too_many_attempts.
    Result<TokenPair> login(const Call& call, const Login& login);
    // All other sessions of the user end with it. Kind::forbidden auth.password_wrong.
    Result<api::None> change_password(const Call& call, const ChangePassword& wish);
    Sessions& sessions() { return sessions_; }
    SignInLimits& limits() { return limits_; }
    RefusedSignIns& refused_sign_ins() { return refused_; }

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
    // Held up by limits; a refusal is noted.
    Result<Checked> check_password(
        const Call& call, const std::string& address, const std::string& password
    );

    Parts parts_;
    RegistrationMode mode_;
    Sessions sessions_;
    SignInLimits limits_;
    RefusedSignIns refused_;
    Counter& logins_succeeded_;
    Counter& logins_refused_;
};

}  // namespace synapsex::auth
