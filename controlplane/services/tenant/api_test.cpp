// The HTTP contract in process: a router, the real service, bodies as callers send them.

#include <gmock/gmock.h>

#include "controlplane/platform/api/openapi.hpp"
#include "controlplane/platform/api/router.hpp"
#include "controlplane/platform/outbox/migrations.hpp"
#include "controlplane/services/tenant/migrations.hpp"
#include "controlplane/services/tenant/routes.hpp"
#include "controlplane/services/tenant/service.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/test_database.hpp"

namespace synapsex::tenant {
namespace {

using ::testing::HasSubstr;

class TenantApi : public ::testing::Test {
 protected:
    testing::FakeClock clock;
    testing::SeededRandom random;
    testing::TestDatabase database{
        clock, {{"outbox", outbox::kMigrations}, {"tenant-service", kMigrations}}};
    TenantService tenants{*database, clock, random};
    api::Router router;
    UserId ada = UserId::make(clock.now(), random);
    TenantId acme = TenantId::make(clock.now(), random);

    void SetUp() override {
        mount_routes(router, tenants);
        tenants.create_tenant(call(), acme, "acme", "Acme", ada).value();
    }
    Call call() const {
        auto principal = std::make_shared<Principal>();
        principal->kind = PrincipalKind::user;
        principal->user = ada;
        principal->tenant = acme;
        return {.request_id = "req_1", .tenant = acme, .principal = std::move(principal)};
    }
    api::Reply send(
        std::string_view method, const std::string& path, std::string body = {},
        api::Parameters query = {}
    ) {
        const auto match = router.find(method, path);
        EXPECT_TRUE(match.route) << method << " " << path;
        const api::RequestParts parts{
            match.path_parameters, std::move(query), "application/json", std::move(body)
        };
        return std::get<api::Reply>(match.route->handle(call(), parts));
    }
    std::string here() const { return "/v1/tenants/" + acme.text(); }
};

TEST_F(TenantApi, answers_in_camel_case_with_instants_in_utc) {
    const auto reply = send("GET", here());
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(
        reply.body, R"({"id":")" + acme.text() +
                        R"(","slug":"acme","name":"Acme","role":"owner",)"
                        R"("plan":"enterprise","state":"active",)"
                        R"("createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z"})"
    );
}

TEST_F(TenantApi, creates_with_201_and_lists_with_a_null_cursor_at_the_end) {
    const auto created = send("POST", "/v1/tenants", R"({"name":"Two","slug":"two"})");
    EXPECT_EQ(created.status, 201);
    EXPECT_THAT(created.body, HasSubstr(R"("slug":"two")"));
    const auto all = send("GET", "/v1/tenants");
    EXPECT_THAT(all.body, HasSubstr(R"("nextCursor":null)"));
    const auto first = send("GET", "/v1/tenants", {}, {{"limit", "1"}});
    EXPECT_THAT(first.body, HasSubstr(R"("nextCursor":")"));
}

TEST_F(TenantApi, manages_members) {
    const auto bob = UserId::make(clock.now(), random).text();
    const auto members = here() + "/members";
    const auto body = R"({"userId":")" + bob + R"(","role":"operator"})";
    EXPECT_EQ(send("POST", members, body).status, 201);
    EXPECT_EQ(send("POST", members, body).status, 409);
    const auto changed = send("PATCH", members + "/" + bob, R"({"role":"admin"})");
    EXPECT_EQ(changed.status, 200);
    EXPECT_THAT(changed.body, HasSubstr(R"("role":"admin")"));
    EXPECT_THAT(send("GET", members).body, HasSubstr(bob));
    const auto removed = send("DELETE", members + "/" + bob);
    EXPECT_EQ(removed.status, 204);
    EXPECT_EQ(removed.body, "");
    EXPECT_EQ(send("DELETE", members + "/" + bob).status, 404);
}

TEST_F(TenantApi, another_tenant_is_404_and_says_how_to_choose_it) {
    const auto other = TenantId::make(clock.now(), random).text();
    const auto reply = send("GET", "/v1/tenants/" + other);
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(reply.content_type, "application/problem+json");
    EXPECT_THAT(reply.body, HasSubstr(R"("code":"tenants.not_found")"));
    EXPECT_THAT(reply.body, HasSubstr("X-Tenant-Id"));
}

TEST_F(TenantApi, says_all_that_is_wrong_with_a_body) {
    const auto reply = send("POST", "/v1/tenants", R"({"name":"","slug":"a","plan":"free"})");
    EXPECT_EQ(reply.status, 400);
    for (const auto* pointer : {"/name", "/slug", "/plan"})
        EXPECT_THAT(reply.body, HasSubstr(R"("pointer":")" + std::string{pointer} + "\""));
}

TEST_F(TenantApi, refuses_bad_bodies_with_a_problem_and_a_pointer) {
    const struct {
        std::string method, path, body, says;
    } cases[] = {
        {"POST", "/v1/tenants", "", "request."},
        {"POST", "/v1/tenants", "{", "request."},
        {"POST", "/v1/tenants", "[]", "request."},
        {"POST", "/v1/tenants", R"({"name":7})", "/name"},
        {"POST", "/v1/tenants", R"({"name":"a","name":"b"})", "/name"},
        {"POST", "/v1/tenants", R"({"name":"a\u0000b"})", "/name"},
        {"POST", "/v1/tenants", R"({"name":"A","slug":"No Slug"})", "/slug"},
        {"PATCH", here(), R"({"name":""})", "/name"},
        {"POST", here() + "/members", R"({"userId":"bob"})", "/userId"},
        {"POST", here() + "/members", R"({"role":"king"})", "/role"},
        {"GET", "/v1/tenants/acme", "", "tenantId"},
    };
    for (const auto& bad : cases) {
        const auto reply = send(bad.method, bad.path, bad.body);
        EXPECT_EQ(reply.status, 400) << bad.path << " " << bad.body;
        EXPECT_EQ(reply.content_type, "application/problem+json");
        EXPECT_THAT(reply.body, HasSubstr(bad.says)) << bad.body;
    }
}

TEST_F(TenantApi, refuses_limits_beyond_the_range_and_unknown_filters) {
    for (const auto* limit : {"0", "101", "ten"})
        EXPECT_EQ(send("GET", "/v1/tenants", {}, {{"limit", limit}}).status, 400) << limit;
    EXPECT_EQ(send("GET", "/v1/tenants", {}, {{"name", "x"}}).status, 400);
}

TEST_F(TenantApi, is_in_the_openapi_document) {
    static constexpr std::array kTags{
        api::OpenApiTag{"plans", "Plans."}, api::OpenApiTag{"tenants", "Tenants."}};
    const auto document = api::openapi_document(router, {"0.1.0", "http://127.0.0.1:8080", kTags});
    for (const auto* part : {"tenants.members.add", "acme-prod", "joined"})
        EXPECT_THAT(document, HasSubstr(part));
}

}  // namespace
}  // namespace synapsex::tenant
