#include "controlplane/services/api_gateway/service_door.hpp"

#include <gmock/gmock.h>

#include <future>
#include <map>

#include "controlplane/services/api_gateway/documents.hpp"
#include "shared/crypto/ed25519.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::api_gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::array kEdges{context::Edge{"api-gateway", "test-service"}};

// What a caller sends; a test changes one thing.
struct Sent {
    std::string method = "POST";
    std::string path = "/v1/things/7";
    std::string query{};
    std::string body = "body";
};

class ServiceDoorTest : public ::testing::Test {
 protected:
    ServiceDoorTest() {
        mount("test.read", api::Verb::get, "/v1/things/{id}", auth::user("vms.read"));
        mount("test.write", api::Verb::post, "/v1/things/{id}", auth::user("vms.read"));
        mount("test.own", api::Verb::put, "/v1/things/{id}", auth::user("tenants.write"));
        mount("test.open", api::Verb::get, "/v1/open", auth::anyone());
        mount("test.beat", api::Verb::post, "/v1/beat", auth::agent(), api::Runs::inline_);
        mount_health(router, [] { return std::vector<Readiness>{{"database", false, "gone"}}; });
        auto principal = std::make_shared<Principal>();
        principal->kind = PrincipalKind::user;
        principal->tenant = TenantId::make(clock.now(), random);
        principal->scopes = auth::scopes_of(auth::Role::viewer);
        call.request_id = "req-1";
        call.tenant = principal->tenant;
        call.principal = std::move(principal);
    }

    void mount(
        std::string_view id, api::Verb verb, std::string_view path, const auth::Access& access,
        api::Runs runs = api::Runs::pool
    ) {
        api::OperationInfo operation;
        operation.id = id;
        operation.method = verb;
        operation.path = path;
        operation.access = access;
        operation.runs = runs;
        operation.body_bytes_max = 1024;
        router.mount_raw(operation, [this](const Call& arrived, const api::RequestParts& parts) {
            ++handled;
            seen = arrived;
            return handler(parts);
        });
    }

    // Signed for `meant`, sent as `sent`, to this service.
    http::RequestHead head_of(const Sent& sent, const Sent& meant) {
        auto head = unsigned_head_of(sent);
        const auto target =
            meant.query.empty() ? meant.path : meant.path + "?" + meant.query;
        head.headers.emplace_back(
            context::kHeaderLowerCase,
            gateway.issue("test-service", call, {meant.method, target}, meant.body)
        );
        return head;
    }
    static http::RequestHead unsigned_head_of(const Sent& sent) {
        http::RequestHead head;
        head.method = sent.method;
        head.path = sent.path;
        head.query = sent.query;
        head.client_address = "127.0.0.1";
        return head;
    }
    api::Outcome outcome_of(const http::RequestHead& head, const std::string& body) {
        const auto plan = door.plan(head);
        if (plan.reply) return *plan.reply;
        std::promise<api::Outcome> promise;
        plan.run(body, [&](api::Outcome outcome) { promise.set_value(std::move(outcome)); });
        return promise.get_future().get();
    }
    api::Reply send(const http::RequestHead& head, const std::string& body) {
        auto outcome = outcome_of(head, body);
        return std::get<api::Reply>(outcome);
    }
    api::Reply send(const Sent& sent) { return send(head_of(sent, sent), sent.body); }

    void expect_refused(const api::Reply& reply, std::string_view code) {
        EXPECT_EQ(reply.status, 401) << reply.body;
        EXPECT_EQ(reply.content_type, "application/problem+json");
        EXPECT_THAT(reply.body, HasSubstr("\"" + std::string{code} + "\""));
        EXPECT_EQ(handled, 0);
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    Metrics metrics;
    api::Router router;
    http::WorkerPool pool{{.threads = 2, .queue_max = 4}};
    std::shared_ptr<const crypto::Ed25519Key> key =
        std::make_shared<const crypto::Ed25519Key>(crypto::Ed25519Key::generate(random));
    context::Issuer gateway{"api-gateway", key, clock, random};
    context::Verifier verifier{{
        .service = "test-service",
        .peers = {{"api-gateway", {key->public_key()}}},
        .edges = kEdges,
        .clock = clock,
    }};
    ServiceDoor door{{
        .service = "test-service",
        .router = router,
        .verifier = verifier,
        .pool = pool,
        .clock = clock,
        .random = random,
        .metrics = metrics,
        .access_log = AccessLog::off,
    }};
    Call call;
    Call seen;
    int handled = 0;
    std::function<api::Outcome(const api::RequestParts&)> handler =
        [](const api::RequestParts& parts) -> api::Outcome {
        return api::Reply{.body = parts.path.at(0).second + " " + parts.body};
    };
};

TEST_F(ServiceDoorTest, a_signed_request_runs_with_the_call_of_its_context) {
    call.deadline = Deadline::after(clock, 7s);
    const auto reply = send(Sent{.query = "a=1"});
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.body, "7 body");
    EXPECT_EQ(seen.request_id, "req-1");
    EXPECT_EQ(seen.tenant, call.tenant);
    EXPECT_EQ(seen.principal->kind, PrincipalKind::user);
    EXPECT_EQ(seen.principal->scopes, auth::scopes_of(auth::Role::viewer));
    EXPECT_EQ(seen.deadline.remaining(clock), 7s);
}

TEST_F(ServiceDoorTest, no_call_outlives_the_budget_of_a_request) {
    send(Sent{});
    EXPECT_EQ(seen.deadline.remaining(clock), kRequestBudget);
}

TEST_F(ServiceDoorTest, nothing_unsigned_gets_in_whatever_else_it_says) {
    expect_refused(send(unsigned_head_of(Sent{}), "body"), "context.missing");
    auto head = unsigned_head_of(Sent{.method = "GET", .path = "/v1/open"});
    for (const auto* name : {"authorization", "x-api-key", "x-tenant-id", "x-user-id"})
        head.headers.emplace_back(name, "something");
    expect_refused(send(head, ""), "context.missing");
}

TEST_F(ServiceDoorTest, an_unsigned_request_does_not_learn_what_there_is) {
    expect_refused(send(unsigned_head_of(Sent{.path = "/v1/nothing"}), ""), "context.missing");
}

TEST_F(ServiceDoorTest, an_unsigned_body_is_not_read) {
    EXPECT_TRUE(door.plan(unsigned_head_of(Sent{})).reply);
}

TEST_F(ServiceDoorTest, two_contexts_are_none) {
    auto head = head_of(Sent{}, Sent{});
    head.headers.push_back(head.headers.front());
    expect_refused(send(head, "body"), "context.malformed");
}

TEST_F(ServiceDoorTest, a_context_opens_nothing_but_what_it_is_for) {
    const Sent meant{};
    expect_refused(send(head_of(Sent{.method = "PUT"}, meant), "body"), "context.other_method");
    expect_refused(
        send(head_of(Sent{.path = "/v1/things/8"}, meant), "body"), "context.other_target"
    );
    expect_refused(send(head_of(Sent{.query = "a=1"}, meant), "body"), "context.other_target");
    expect_refused(send(head_of(meant, meant), "another"), "context.other_body");
}

TEST_F(ServiceDoorTest, a_change_is_made_once) {
    const auto head = head_of(Sent{}, Sent{});
    EXPECT_EQ(send(head, "body").status, 200);
    handled = 0;
    expect_refused(send(head, "body"), "context.replayed");
}

TEST_F(ServiceDoorTest, the_declared_access_is_asked_for_here_too) {
    EXPECT_EQ(send(Sent{.method = "PUT"}).status, 403);
    EXPECT_EQ(send(Sent{.path = "/v1/beat"}).status, 403);
    EXPECT_EQ(handled, 0);
    EXPECT_EQ(send(Sent{.method = "GET", .body = ""}).status, 200);
}

TEST_F(ServiceDoorTest, a_signed_request_for_what_there_is_not_is_404_or_405) {
    EXPECT_EQ(send(Sent{.path = "/v1/nothing"}).status, 404);
    EXPECT_EQ(send(Sent{.method = "DELETE"}).status, 405);
}

TEST_F(ServiceDoorTest, a_call_whose_time_is_over_is_not_made) {
    call.deadline = Deadline::after(clock, 0s);
    EXPECT_EQ(send(Sent{}).status, 504);
    EXPECT_EQ(handled, 0);
}

TEST_F(ServiceDoorTest, what_a_handler_throws_is_a_problem) {
    handler = [](const auto&) -> api::Outcome { throw std::runtime_error("secret"); };
    const auto reply = send(Sent{});
    EXPECT_EQ(reply.status, 500);
    EXPECT_THAT(reply.body, HasSubstr("internal.error"));
    EXPECT_THAT(reply.body, HasSubstr("req-1"));
    EXPECT_THAT(reply.body, ::testing::Not(HasSubstr("secret")));
}

TEST_F(ServiceDoorTest, a_held_answer_is_held_and_guarded) {
    api::ParkingLot lot;
    handler = [&](const auto&) -> api::Outcome {
        return api::HeldReply{lot.park("a"), 50s, [](api::Wake wake) -> api::Reply {
                                  if (wake == api::Wake::draining) throw std::runtime_error("x");
                                  return {.body = "late"};
                              }};
    };
    const std::map<api::Wake, int> statuses{{api::Wake::news, 200}, {api::Wake::draining, 500}};
    for (const auto& [wake, status] : statuses) {
        auto outcome = outcome_of(head_of(Sent{}, Sent{}), "body");
        auto& held = std::get<api::HeldReply>(outcome);
        EXPECT_EQ(held.hold, 50s);
        std::promise<api::Reply> promise;
        door.finish_held(held.finish, wake, [&](api::Reply reply) { promise.set_value(reply); });
        EXPECT_EQ(promise.get_future().get().status, status);
    }
}

TEST_F(ServiceDoorTest, health_and_readiness_are_told_to_anybody) {
    const auto health = send(unsigned_head_of({"GET", "/healthz", "", ""}), "");
    EXPECT_EQ(health.status, 200);
    const auto ready = send(unsigned_head_of({"GET", "/readyz", "", ""}), "");
    EXPECT_EQ(ready.status, 503);
    EXPECT_THAT(ready.body, HasSubstr("gone"));
}

TEST_F(ServiceDoorTest, refusals_and_answers_are_counted) {
    send(unsigned_head_of(Sent{}), "body");
    door.finished(nullptr, 401, 0s);
    EXPECT_THAT(
        metrics.render(),
        HasSubstr("synapsex_service_contexts_refused_total{service=\"test-service\"} 1")
    );
    EXPECT_THAT(
        metrics.render(),
        HasSubstr("synapsex_service_answers_total{service=\"test-service\",status=\"4xx\"} 1")
    );
}

}  // namespace
}  // namespace synapsex::api_gateway
