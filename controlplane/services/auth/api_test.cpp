// The HTTP contract in process: a router, the real module, bodies as callers send them.

#include "controlplane/platform/api/openapi.hpp"
#include "controlplane/services/auth/api.hpp"
#include "controlplane/services/auth/auth_fixture.hpp"
#include "controlplane/services/auth/module.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::auth {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class AuthApi : public AuthFixture {
 protected:
    api::ParkingLot parking;
    wakeups::Board wakeups;
    TaskBook tasks{database.metrics(), clock};
    AuthModule module{
        Platform{clock, random, database.metrics(), parking, tasks, wakeups}, *database, tenants,
        agents,
        {.issuer = kIssuer,
         .is_registration_open = true,
         .signing_keys = signing_keys,
         .password_cost = kCheap}
    };
    api::Router router;
    Call call = nobody();

    void SetUp() override { module.mount(router); }
    api::Reply send(
        std::string_view method, std::string_view path, std::string body = {},
        std::string media_type = "application/json"
    ) {
        const auto match = router.find(method, path);
        EXPECT_TRUE(match.route) << method << " " << path;
        const api::RequestParts parts{
            match.path_parameters, {}, std::move(media_type), std::move(body)
        };
        return std::get<api::Reply>(match.route->handle(call, parts));
    }
    api::Reply post(std::string_view path, std::string body) {
        return send("POST", path, std::move(body));
    }
    void sign_in(const std::string& email) { call = call_of(registered(email)); }
    const std::string ada_body =
        R"({"email":"ada@example.com","password":")" + kPassword + R"("})";
};

TEST_F(AuthApi, registers_with_201_and_oauths_names_at_the_top) {
    const auto reply = post("/v1/auth/register", ada_body);
    EXPECT_EQ(reply.status, 201);
    EXPECT_THAT(reply.body, HasSubstr(R"({"access_token":"ey)"));
    EXPECT_THAT(reply.body, HasSubstr(R"("refresh_token":"rt_sx_)"));
    EXPECT_THAT(
        reply.body, HasSubstr(R"("token_type":"bearer","expires_in":900,"user":{"id":"usr_)")
    );
    EXPECT_THAT(reply.body, HasSubstr(R"("email":"ada@example.com","tenantId":"ten_)"));
    EXPECT_EQ(post("/v1/auth/register", ada_body).status, 409);
}

TEST_F(AuthApi, signs_in_and_refreshes) {
    post("/v1/auth/register", ada_body);
    EXPECT_EQ(post("/v1/auth/login", ada_body).status, 200);
    const auto pair = registered("bob@example.com");
    const auto body = R"({"refreshToken":")" + pair.refresh_token + R"("})";
    EXPECT_EQ(post("/v1/auth/refresh", body).status, 200);
    EXPECT_EQ(post("/v1/auth/refresh", body).status, 200) << "within the grace";
    age_refreshes(kRefreshGrace + std::chrono::seconds{1});
    const auto reused = post("/v1/auth/refresh", body);
    EXPECT_EQ(reused.status, 401);
    EXPECT_THAT(reused.body, HasSubstr(R"("code":"auth.refresh_reused")"));
}

TEST_F(AuthApi, takes_a_refresh_token_as_it_was_answered_and_only_once) {
    const auto pair = registered("bob@example.com");
    const auto quoted = "\"" + pair.refresh_token + "\"";
    const auto both = post(
        "/v1/auth/refresh", R"({"refresh_token":)" + quoted + R"(,"refreshToken":)" + quoted + "}"
    );
    EXPECT_EQ(both.status, 400);
    EXPECT_EQ(post("/v1/auth/refresh", R"({"refresh_token":)" + quoted + "}").status, 200);
}

TEST_F(AuthApi, refuses_a_wrong_password_with_401_and_a_problem) {
    post("/v1/auth/register", ada_body);
    const auto reply =
        post("/v1/auth/login", R"({"email":"ada@example.com","password":"wrong"})");
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.content_type, "application/problem+json");
    EXPECT_THAT(reply.body, HasSubstr(R"("code":"auth.login_failed")"));
}

TEST_F(AuthApi, says_all_that_is_wrong_with_a_body) {
    const auto reply =
        post("/v1/auth/register", R"({"email":"a","password":"pa55word","name":"Ada"})");
    EXPECT_EQ(reply.status, 400);
    for (const auto* pointer : {"/email", "/password", "/name"})
        EXPECT_THAT(reply.body, HasSubstr(R"("pointer":")" + std::string{pointer} + "\""));
    EXPECT_THAT(reply.body, Not(HasSubstr("pa55word"))) << "a password never comes back";
}

TEST_F(AuthApi, refuses_bad_bodies_with_a_problem_and_a_pointer) {
    const std::string long_password(257, 'a');
    const struct {
        std::string path, body, says;
    } cases[] = {
        {"/v1/auth/register", "", "request."},
        {"/v1/auth/register", "[]", "request."},
        {"/v1/auth/register", R"({"email":"not one","password":"123456789012"})", "/email"},
        {"/v1/auth/register", R"({"email":"a@b.c","password":"12345678901"})", "/password"},
        {"/v1/auth/register", R"({"email":"a@b.c","password":")" + long_password + R"("})",
         "/password"},
        {"/v1/auth/login", R"({"email":"a@b.c"})", "/password"},
        {"/v1/auth/login", R"({"email":"a@b.c","email":"a@b.d","password":"x"})", "/email"},
        {"/v1/auth/login", R"({"email":"a@b.c","password":"x\u0000"})", "/password"},
        {"/v1/auth/refresh", R"({})", "/refreshToken"},
        {"/v1/auth/keys", R"({"name":""})", "/name"},
        {"/v1/auth/keys", R"({"name":"   "})", "/name"},
        {"/v1/auth/keys", R"({"name":"\u001b[31mred"})", "/name"},
        {"/v1/auth/register", R"({"email":"a@b.c","password":"123456789012","fullName":"A\nB"})",
         "/fullName"},
        {"/v1/auth/keys", R"({"name":"a","expiresAt":1})", "/expiresAt"},
    };
    sign_in("ada@example.com");
    for (const auto& bad : cases) {
        const auto reply = post(bad.path, bad.body);
        EXPECT_EQ(reply.status, 400) << bad.path << " " << bad.body;
        EXPECT_EQ(reply.content_type, "application/problem+json");
        EXPECT_THAT(reply.body, HasSubstr(bad.says)) << bad.body;
    }
}

TEST_F(AuthApi, makes_lists_and_revokes_keys) {
    sign_in("ada@example.com");
    const auto made = post("/v1/auth/keys", R"({"name":"ci","description":"For CI"})");
    EXPECT_EQ(made.status, 201);
    EXPECT_THAT(made.body, HasSubstr(R"("key":"sk_sx_)"));
    const auto list = send("GET", "/v1/auth/keys");
    EXPECT_THAT(list.body, HasSubstr(R"("name":"ci","description":"For CI","prefix":"sk_sx_)"));
    EXPECT_THAT(list.body, HasSubstr(R"("lastUsedAt":null)"));
    EXPECT_THAT(list.body, Not(HasSubstr(R"("key")")));
    const auto id = made.body.substr(made.body.find("key_"), 30);
    EXPECT_EQ(send("DELETE", "/v1/auth/keys/" + id).status, 204);
    EXPECT_EQ(send("DELETE", "/v1/auth/keys/" + id).status, 204);
    const auto unknown = ApiKeyId::make(clock.now(), random).text();
    EXPECT_EQ(send("DELETE", "/v1/auth/keys/" + unknown).status, 404);
    EXPECT_EQ(send("DELETE", "/v1/auth/keys/x").status, 400);
}

TEST_F(AuthApi, says_who_the_caller_is) {
    sign_in("ada@example.com");
    const auto reply = send("GET", "/v1/auth/me");
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.body, HasSubstr(R"({"kind":"user","id":"usr_)"));
    EXPECT_THAT(reply.body, HasSubstr(R"("role":"owner")"));
    EXPECT_THAT(reply.body, HasSubstr(R"("scopes":["tenants.read",)"));
}

TEST_F(AuthApi, publishes_its_keys_as_rfc_7517_has_it) {
    const auto reply = send("GET", "/v1/auth/jwks.json");
    EXPECT_EQ(reply.status, 200);
    const std::pair<std::string, std::string> a_while{"Cache-Control", "public, max-age=300"};
    EXPECT_THAT(reply.headers, Contains(a_while));
    EXPECT_EQ(
        reply.body, R"({"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":")" +
                        tokens.jwks().keys[0].kid + R"(","x":")" +
                        crypto::to_base64url(signing_keys.signer->public_key()) + R"("}]})"
    );
}

TEST_F(AuthApi, takes_assertions_as_a_form_and_refuses_them_as_problems) {
    const std::string type =
        "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    const auto form = [&](const std::string& grant) {
        return "grant_type=" + grant + "&client_assertion_type=" + type +
               "&client_assertion=a.b.c&scope=x";
    };
    const auto ask = [&](const std::string& body) {
        return send("POST", "/v1/auth/token", body, "application/x-www-form-urlencoded");
    };
    const auto malformed = ask(form("client_credentials"));
    EXPECT_EQ(malformed.status, 400);
    EXPECT_THAT(malformed.body, HasSubstr(R"("code":"auth.assertion_malformed")"));
    EXPECT_THAT(ask(form("password")).body, HasSubstr(R"("code":"auth.unsupported_grant")"));
    EXPECT_THAT(ask("grant_type=client_credentials").body, HasSubstr("client_assertion"));
}

TEST_F(AuthApi, a_busy_server_answers_503_with_retry_after) {
    AuthModule busy_module{
        Platform{clock, random, database.metrics(), parking, tasks, wakeups}, *database, tenants,
        agents,
        {.issuer = kIssuer,
         .signing_keys = signing_keys,
         .password_cost = kCheap,
         .password_limits = {.running_max = 0, .waiting_max = 0}}
    };
    api::Router busy_router;
    busy_module.mount(busy_router);
    const auto match = busy_router.find("POST", "/v1/auth/login");
    const auto outcome = match.route->handle(nobody(), {{}, {}, "application/json", ada_body});
    const auto& reply = std::get<api::Reply>(outcome);
    EXPECT_EQ(reply.status, 503);
    const std::pair<std::string, std::string> retry_after{"Retry-After", "1"};
    EXPECT_THAT(reply.headers, Contains(retry_after));
}

TEST_F(AuthApi, is_in_the_openapi_document) {
    static constexpr std::array kTags{api::OpenApiTag{"auth", "Users and credentials."}};
    const auto document = api::openapi_document(router, {"0.1.0", "http://127.0.0.1:8080", kTags});
    for (const auto* part : {"auth.keys.revoke", "correct horse", "client_assertion"})
        EXPECT_THAT(document, HasSubstr(part));
}

TEST_F(AuthApi, the_module_starts_stops_and_writes_what_was_noted) {
    const auto ada = registered("ada@example.com");
    const auto key = service.create_key(call_of(ada), {{"ci"}, {}}).value();
    module.start();
    EXPECT_TRUE(module.authenticator().authenticate(nobody(), {key.key, ""}));
    module.stop();
    EXPECT_TRUE(service.list_keys(call_of(ada), {})->items.at(0).last_used_at);
    EXPECT_EQ(module.manifest().port, 8001);
}

}  // namespace
}  // namespace synapsex::auth
