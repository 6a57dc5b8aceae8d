#pragma once

// /v1/auth: users sign in, keys for programs, tokens for agents.

#include <optional>
#include <string>
#include <vector>

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/api/page.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/describe.hpp"
#include "shared/base/ids.hpp"
#include "shared/base/time.hpp"

namespace synapsex::auth {

using Email = Text<3, 254>;
using Password = Text<12, 256>;    // a new one: length over composition (NIST SP 800-63B)
using GivenPassword = Text<1, 256>;
using RefreshToken = Text<1, 200>;

// What the credential of this call is, as authentication sees it.
struct Me {
    std::string kind;  // "user", "api_key"
    UserId id;
    std::string email;
    std::string full_name;
    TenantId tenant_id;
    Role role = Role::viewer;
    std::string credential_id;
    std::vector<std::string> scopes;
};
BOOST_DESCRIBE_STRUCT(Me, (), (kind, id, email, full_name, tenant_id, role, credential_id, scopes))

struct Register {
    Email email;
    Password password;
    std::optional<Name<1, 100>> full_name;
};
BOOST_DESCRIBE_STRUCT(Register, (), (email, password, full_name))

struct Login {
    Email email;
    GivenPassword password;
};
BOOST_DESCRIBE_STRUCT(Login, (), (email, password))

// One of the two: as our bodies spell it, or as the answer that has it does.
struct Refresh {
    std::optional<RefreshToken> refreshToken{};
    std::optional<RefreshToken> refresh_token{};
};
BOOST_DESCRIBE_STRUCT(Refresh, (), (refreshToken, refresh_token))

struct SignedInUser {
    UserId id;
    std::string email;
    TenantId tenant_id;
};
BOOST_DESCRIBE_STRUCT(SignedInUser, (), (id, email, tenant_id))

// OAuth's names at the top (RFC 6749, section 5.1), ours below.
struct TokenPair {
    std::string access_token;
    std::string refresh_token;
    std::string token_type = "bearer";
    std::int64_t expires_in = 0;
    SignedInUser user;
};
BOOST_DESCRIBE_STRUCT(TokenPair, (), (access_token, refresh_token, token_type, expires_in, user))

// RFC 7523, section 2.2: an agent proves its key.
struct TokenRequest {
    std::string grant_type;             // client_credentials
    std::string client_assertion_type;  // urn:ietf:params:oauth:client-assertion-type:jwt-bearer
    Text<1, 4096> client_assertion;
};
BOOST_DESCRIBE_STRUCT(TokenRequest, (), (grant_type, client_assertion_type, client_assertion))

struct AccessToken {
    std::string access_token;
    std::string token_type = "bearer";
    std::int64_t expires_in = 0;
};
BOOST_DESCRIBE_STRUCT(AccessToken, (), (access_token, token_type, expires_in))

struct ApiKey {
    ApiKeyId id;
    std::string name;
    std::string description;
    std::string prefix;  // the first characters, to tell keys apart
    Timestamp created_at{};
    std::optional<Timestamp> last_used_at;  // to the minute
};
BOOST_DESCRIBE_STRUCT(ApiKey, (), (id, name, description, prefix, created_at, last_used_at))

struct CreateApiKey {
    Name<1, 100> name;
    std::optional<Text<0, 500>> description;
};
BOOST_DESCRIBE_STRUCT(CreateApiKey, (), (name, description))

struct CreatedApiKey {
    ApiKeyId id;
    std::string name;
    std::string description;
    std::string prefix;
    Timestamp created_at{};
    std::string key;  // sk_sx_…: shown here and never again
};
BOOST_DESCRIBE_STRUCT(CreatedApiKey, (), (id, name, description, prefix, created_at, key))

struct ChangePassword {
    GivenPassword current_password;
    Password new_password;
};
BOOST_DESCRIBE_STRUCT(ChangePassword, (), (current_password, new_password))

// What a sign-in began, and refreshes keep alive.
struct SignedInSession {
    SessionId id;
    Timestamp created_at{};
    Timestamp signed_in_at{};  // when a password was given in it last
    Timestamp last_refreshed_at{};
    Timestamp expires_at{};
    std::string last_address;
    std::string user_agent;
    bool is_current = false;
};
BOOST_DESCRIBE_STRUCT(
    SignedInSession, (),
    (id, created_at, signed_in_at, last_refreshed_at, expires_at, last_address, user_agent,
     is_current)
)

struct ListSessions {
    api::PageLimit limit;
    std::optional<api::Cursor> cursor;
};
BOOST_DESCRIBE_STRUCT(ListSessions, (), (limit, cursor))

struct SessionPage {
    std::vector<SignedInSession> items;
    std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(SessionPage, (), (items, next_cursor))

struct SessionPath {
    SessionId session_id;
};
BOOST_DESCRIBE_STRUCT(SessionPath, (), (session_id))

struct LogoutEverywhere {
    std::optional<bool> keep_current;
};
BOOST_DESCRIBE_STRUCT(LogoutEverywhere, (), (keep_current))

struct SessionsEnded {
    std::int64_t sessions_ended = 0;
};
BOOST_DESCRIBE_STRUCT(SessionsEnded, (), (sessions_ended))

struct ListApiKeys {
    api::PageLimit limit;
    std::optional<api::Cursor> cursor;
};
BOOST_DESCRIBE_STRUCT(ListApiKeys, (), (limit, cursor))

struct ApiKeyPage {
    std::vector<ApiKey> items;
    std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(ApiKeyPage, (), (items, next_cursor))

struct ApiKeyPath {
    ApiKeyId key_id;
};
BOOST_DESCRIBE_STRUCT(ApiKeyPath, (), (key_id))

// RFC 7517 and RFC 8037.
struct Jwk {
    std::string kty = "OKP";
    std::string crv = "Ed25519";
    std::string use = "sig";
    std::string alg = "EdDSA";
    std::string kid;
    std::string x;
};
BOOST_DESCRIBE_STRUCT(Jwk, (), (kty, crv, use, alg, kid, x))

struct JwkSet {
    std::vector<Jwk> keys;
};
BOOST_DESCRIBE_STRUCT(JwkSet, (), (keys))

}  // namespace synapsex::auth

template <>
inline constexpr synapsex::Names synapsex::kNamesOf<synapsex::auth::Refresh> = Names::as_written;
template <>
inline constexpr synapsex::Names synapsex::kNamesOf<synapsex::auth::TokenPair> = Names::as_written;
template <>
inline constexpr synapsex::Names synapsex::kNamesOf<synapsex::auth::TokenRequest> =
    Names::as_written;
template <>
inline constexpr synapsex::Names synapsex::kNamesOf<synapsex::auth::AccessToken> =
    Names::as_written;
template <>
inline constexpr synapsex::Names synapsex::kNamesOf<synapsex::auth::ApiKeyPath> = Names::as_written;

// --- what the OpenAPI document says about them ---

template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::Me>{
    "Who the credential of a call is.",
    {{{"kind", "What kind of credential it is: user or api_key.", R"("user")"},
      {"id", "The user, also behind an API key."},
      {"email", "The user's e-mail address.", R"("ada@example.com")"},
      {"full_name", "What people call the user; may be empty.", R"("Ada Lovelace")"},
      {"tenant_id", "The tenant that the credential acts in."},
      {"role", "The user's role in that tenant.", R"("owner")"},
      {"credential_id", "The session or API key, as a revocation names it."},
      {"scopes", "What the role allows.", R"(["tenants.read","vms.read"])"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::Register>{
    "A user to be, who gets a tenant of their own.",
    {{{"email", "Signs the user in; kept in lower case.", R"("ada@example.com")"},
      {"password", "At least 12 characters; length counts, not kinds of characters.",
       R"("correct horse battery staple")"},
      {"full_name", "What people call the user; also names the tenant.", R"("Ada Lovelace")"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::Login>{
    "What a user signs in with.",
    {{{"email", "In whatever case.", R"("ada@example.com")"},
      {"password", "The user's password.", R"("correct horse battery staple")"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::Refresh>{
    "What keeps a user signed in.",
    {{{"refreshToken", "The one of the latest sign-in or refresh.", R"("rt_sx_4kX...")"},
      {"refresh_token", "The same, spelled as the answer spells it; pass one of the two."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::SignedInUser>{
    "The user who signed in.",
    {{{"id", "The user."},
      {"email", "The user's e-mail address.", R"("ada@example.com")"},
      {"tenant_id", "The tenant that calls act in unless X-Tenant-Id chooses another: the one "
                    "that the user joined first."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::TokenPair>{
    "Tokens of a signed-in user, in OAuth's names (RFC 6749, section 5.1).",
    {{{"access_token", "Goes into Authorization: Bearer."},
      {"refresh_token", "For POST /v1/auth/refresh, once; lives 30 days.", R"("rt_sx_4kX...")"},
      {"token_type", "Always bearer.", R"("bearer")"},
      {"expires_in", "Seconds that the access token lives.", "900"},
      {"user", "The user who signed in."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::TokenRequest>{
    "An agent's proof of its key (RFC 7523, section 2.2).",
    {{{"grant_type", "client_credentials, and nothing else.", R"("client_credentials")"},
      {"client_assertion_type", "The type that RFC 7523 fixes.",
       R"("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")"},
      {"client_assertion",
       "A JWT signed with EdDSA by the agent's key: iss and sub its id, aud the issuer that "
       "enrollment told, exp at most 60 s after iat, a jti that is used once."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::AccessToken>{
    "An access token, in OAuth's names (RFC 6749, section 5.1).",
    {{{"access_token", "Goes into Authorization: Bearer."},
      {"token_type", "Always bearer.", R"("bearer")"},
      {"expires_in", "Seconds that it lives.", "900"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::ApiKey>{
    "A key with which programs act as its user in one tenant.",
    {{{"id", "Names the key; is no secret."},
      {"name", "What the user calls it.", R"("ci")"},
      {"description", "May be empty.", R"("Deploys from the build server")"},
      {"prefix", "The first characters of the secret, to tell keys apart.", R"("sk_sx_9aB3xQ")"},
      {"created_at", "When it was made."},
      {"last_used_at", "The minute it was last used, some seconds late; null if never."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::CreateApiKey>{
    "An API key to be made for the caller in this tenant.",
    {{{"name", "What to call it.", R"("ci")"},
      {"description", "What it is for.", R"("Deploys from the build server")"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::CreatedApiKey>{
    "A new API key with its secret, which is shown here and never again.",
    {{{"id", "Names the key; is no secret."},
      {"name", "What the user calls it.", R"("ci")"},
      {"description", "May be empty.", R"("Deploys from the build server")"},
      {"prefix", "The first characters of the secret, to tell keys apart.", R"("sk_sx_9aB3xQ")"},
      {"created_at", "When it was made."},
      {"key", "The secret: goes into X-API-Key or Authorization: Bearer."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::ChangePassword>{
    "Another password for the caller.",
    {{{"current_password", "The one that signs the user in today.",
       R"("correct horse battery staple")"},
      {"new_password", "At least 12 characters; length counts, not kinds of characters.",
       R"("seven brown hens under a bridge")"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::SignedInSession>{
    "A sign-in that has not ended: it lives 30 days from its last refresh.",
    {{{"id", "Names the session."},
      {"created_at", "When it was begun."},
      {"signed_in_at", "When the user last gave the password in it."},
      {"last_refreshed_at", "When its tokens were made last."},
      {"expires_at", "When it ends unless it is refreshed."},
      {"last_address", "Where the sign-in or the last refresh came from; empty if that was before "
                       "this was kept.", R"("192.0.2.7")"},
      {"user_agent", "What the client then said that it was: printable ASCII, at most 200 "
                     "characters, proved by nothing.", R"("synapsexctl/1.0.0")"},
      {"is_current", "Whether it is the session of this call.", "true"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::ListSessions>{
    "Which page of the caller's sessions.",
    {},
    &synapsex::api::kPageDoc};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::SessionPage>{
    "The caller's sessions, the newest first.",
    {{{"items", "The sessions, without their tokens."}}},
    &synapsex::api::kPageDoc};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::SessionPath>{
    "One of the caller's sessions.", {{{"session_id", "The session."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::LogoutEverywhere>{
    "Which of the caller's sessions end.",
    {{{"keep_current", "true leaves the session of this call; without it that ends, too.",
       "false"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::SessionsEnded>{
    "What has ended.", {{{"sessions_ended", "How many sessions.", "3"}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::ListApiKeys>{
    "Which page of the caller's keys.",
    {},
    &synapsex::api::kPageDoc};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::ApiKeyPage>{
    "The caller's keys that are not revoked, oldest first.",
    {{{"items", "The keys, without their secrets."}}},
    &synapsex::api::kPageDoc};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::ApiKeyPath>{
    "One of the caller's keys.", {{{"key_id", "The key."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::Jwk>{
    "A public key (RFC 7517, RFC 8037).",
    {{{"kty", "The kind of key.", R"("OKP")"},
      {"crv", "The curve.", R"("Ed25519")"},
      {"use", "What it is for: signatures.", R"("sig")"},
      {"alg", "The algorithm it verifies.", R"("EdDSA")"},
      {"kid", "16 characters of its RFC 7638 thumbprint; stands in the header of tokens."},
      {"x", "The 32 bytes of the public key, in base64url."}}}
};
template <>
inline constexpr synapsex::api::Doc synapsex::api::kDocOf<synapsex::auth::JwkSet>{
    "The keys that verify access tokens of this server.", {{{"keys", "All that are in use."}}}
};

namespace synapsex::auth {

inline constexpr api::Operation<Register, TokenPair> kRegister{
    .id = "auth.register", .method = api::Verb::post, .path = "/v1/auth/register",
    .access = anyone(), .success = 201, .replay = api::Replay::none,
    .summary = "Register a user with a tenant of their own.",
    .description = "Closed (403 auth.registration_closed) unless the server runs with "
                   "--open-registration. The first owner is made by `synapsex-controlplane init`."};
inline constexpr api::Operation<Login, TokenPair> kLogin{
    .id = "auth.login", .method = api::Verb::post, .path = "/v1/auth/login", .access = proof(),
    .replay = api::Replay::none, .summary = "Sign in with e-mail and password.",
    .description = "After some failures for an account or from an address the next try has to "
                   "wait: 429 auth.too_many_attempts with Retry-After, for the right password "
                   "too. 503 auth.busy while too many sign in at once."};
inline constexpr api::Operation<Refresh, TokenPair> kRefresh{
    .id = "auth.refresh", .method = api::Verb::post, .path = "/v1/auth/refresh",
    .access = proof(), .replay = api::Replay::none,
    .summary = "Exchange a refresh token for new tokens.",
    .description = "The refresh token is used up: keep the one in the answer. `refreshToken` or "
                   "`refresh_token` has to be there. For 20 s a used one gives the same new one "
                   "again, so a client may repeat the call, and two tabs may make it at once; 409 "
                   "auth.refresh_superseded if that one was used as well. Later it is 401 "
                   "auth.refresh_reused, and the session ends."};
inline constexpr api::Operation<ListSessions, SessionPage> kListSessions{
    .id = "auth.sessions.list", .path = "/v1/auth/sessions", .access = without_keys(signed_in()),
    .summary = "List where the caller is signed in."};
inline constexpr api::Operation<SessionPath, api::None> kEndSession{
    .id = "auth.sessions.end", .method = api::Verb::delete_,
    .path = "/v1/auth/sessions/{session_id}", .access = in_any_standing(without_keys(signed_in())),
    .replay = api::Replay::natural, .summary = "End one of the caller's sessions, at once."};
inline constexpr api::Operation<api::None, api::None> kLogout{
    .id = "auth.logout", .method = api::Verb::post, .path = "/v1/auth/logout",
    .access = in_any_standing(without_keys(signed_in())), .replay = api::Replay::natural,
    .summary = "End the session of this call."};
inline constexpr api::Operation<LogoutEverywhere, SessionsEnded> kLogoutEverywhere{
    .id = "auth.logout_everywhere", .method = api::Verb::post,
    .path = "/v1/auth/logout-everywhere", .access = in_any_standing(without_keys(signed_in())),
    .replay = api::Replay::natural, .summary = "End all sessions of the caller.",
    .description = "The one of this call as well, unless `keepCurrent` is true. API keys stay."};
inline constexpr api::Operation<ChangePassword, api::None> kChangePassword{
    .id = "auth.password.change", .method = api::Verb::post, .path = "/v1/auth/password",
    .access = in_any_standing(without_keys(signed_in())),
    .summary = "Change the caller's password.",
    .description = "All other sessions of the caller end; API keys stay. A wrong current password "
                   "is 403 auth.password_wrong, and counts as a sign-in that failed."};
inline constexpr api::Operation<TokenRequest, AccessToken> kToken{
    .id = "auth.token", .method = api::Verb::post, .path = "/v1/auth/token", .access = proof(),
    .body = api::BodyKind::form, .replay = api::Replay::none, .unknown = api::Unknown::ignore,
    .summary = "Exchange an agent's signed assertion for an access token (RFC 7523)."};
inline constexpr api::Operation<api::None, Me> kMe{
    .id = "auth.me", .path = "/v1/auth/me", .access = signed_in(), .runs = api::Runs::inline_,
    .summary = "Read who the credential of this call is."};
inline constexpr api::Operation<ListApiKeys, ApiKeyPage> kListApiKeys{
    .id = "auth.keys.list", .path = "/v1/auth/keys", .access = signed_in(),
    .summary = "List the caller's API keys in this tenant."};
inline constexpr api::Operation<CreateApiKey, CreatedApiKey> kCreateApiKey{
    .id = "auth.keys.create", .method = api::Verb::post, .path = "/v1/auth/keys",
    .access = without_keys(user("keys.write")), .success = 201,
    .summary = "Make an API key; the answer is the only one that shows it.",
    .description = "A call with an API key gets 403 auth.sign_in_required, so that revoking a key "
                   "ends what it gave access to."};
inline constexpr api::Operation<ApiKeyPath, api::None> kRevokeApiKey{
    .id = "auth.keys.revoke", .method = api::Verb::delete_, .path = "/v1/auth/keys/{key_id}",
    .access = in_any_standing(signed_in()), .replay = api::Replay::natural,
    .summary = "Revoke one of the caller's API keys, at once."};
inline constexpr api::Operation<api::None, JwkSet> kJwks{
    .id = "auth.jwks", .path = "/v1/auth/jwks.json", .access = anyone(),
    .runs = api::Runs::inline_, .summary = "Read the public keys that verify access tokens."};

}  // namespace synapsex::auth
