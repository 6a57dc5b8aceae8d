#include "controlplane/services/api_gateway/gateway_fixture.hpp"

#include <zlib.h>

#include "controlplane/platform/api/gzip.hpp"
#include "controlplane/platform/db/query.hpp"

namespace synapsex::api_gateway {
namespace {

TEST_F(GatewayTest, an_unknown_path_is_404_and_a_wrong_method_405_with_allow) {
    EXPECT_EQ(send(head_of("GET", "/v1/nothing")).status, 404);
    const auto reply = send(head_of("DELETE", "/v1/open"));
    EXPECT_EQ(reply.status, 405);
    EXPECT_EQ(header_of(reply, "Allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(reply.content_type, "application/problem+json");
}

TEST_F(GatewayTest, a_request_id_is_kept_if_it_is_well_formed_and_made_if_not) {
    auto head = head_of("GET", "/v1/open");
    head.headers.emplace_back("x-request-id", "my-id_1.2");
    EXPECT_EQ(header_of(send(head), "X-Request-Id"), "my-id_1.2");
    for (const std::string& bad :
         {std::string{"a b"}, std::string(65, 'a'), std::string{"<script>"}}) {
        head.headers[0].second = bad;
        EXPECT_TRUE(header_of(send(head), "X-Request-Id").starts_with("req_")) << bad;
    }
}

TEST_F(GatewayTest, asks_for_a_credential_before_it_reads_a_body) {
    const auto plan = gateway->plan(head_of("POST", "/v1/things"));
    ASSERT_TRUE(plan.reply);
    EXPECT_EQ(plan.reply->status, 401);
    EXPECT_FALSE(header_of(*plan.reply, "WWW-Authenticate").empty());
    EXPECT_NE(plan.reply->body.find("auth.credential_missing"), std::string::npos);
}

TEST_F(GatewayTest, lets_in_only_those_whose_role_grants_the_scope) {
    EXPECT_EQ(send_as("viewer-token", "GET", "/v1/things/1").status, 200);
    EXPECT_EQ(send_as("viewer-token", "POST", "/v1/things").status, 403);
    EXPECT_EQ(send_as("owner-token", "POST", "/v1/things").status, 200);
    EXPECT_EQ(send_as("wrong-token", "GET", "/v1/things/1").status, 401);
    EXPECT_EQ(send_as("agent-token", "GET", "/v1/things/1").status, 403);
    EXPECT_EQ(send_as("agent-token", "GET", "/v1/me").status, 403);
    EXPECT_EQ(send_as("owner-token", "POST", "/v1/agent").status, 403);
    EXPECT_EQ(send_as("agent-token", "POST", "/v1/agent").status, 200);
}

TEST_F(GatewayTest, tells_of_every_403_to_somebody_and_of_nothing_else) {
    std::vector<std::string> told;
    auto parts = gateway_parts();
    parts.on_denied = [&](const Call& call, const Denial& denial) {
        EXPECT_FALSE(call.request_id.empty());
        EXPECT_EQ(call.client_address, "127.0.0.1");
        told.push_back(std::string{denial.operation} + " " + std::string{denial.scope} + " " +
                       denial.code);
    };
    gateway.emplace(parts);
    send_as("viewer-token", "GET", "/v1/things/1");
    send_as("wrong-token", "POST", "/v1/things");
    send(head_of("POST", "/v1/things"));
    EXPECT_TRUE(told.empty());
    send_as("viewer-token", "POST", "/v1/things");
    send_as("owner-key", "POST", "/v1/keys");
    send_as("owner-token", "POST", "/v1/beat");
    handler = [](const api::RequestParts&) -> api::Outcome {
        return api::problem_reply({Kind::forbidden, "tests.last_owner", "No."}, "req_1");
    };
    send_as("owner-token", "POST", "/v1/things");
    send(head_of("GET", "/v1/open"));
    EXPECT_THAT(
        told, ::testing::ElementsAre(
                  "test.write tenants.write auth.scope_missing",
                  "test.sign_in tenants.write auth.sign_in_required",
                  "test.beat  auth.wrong_kind_of_caller",
                  "test.write tenants.write tests.last_owner"
              )
    );
}

TEST_F(GatewayTest, an_operation_that_is_closed_to_keys_refuses_them_and_still_asks_for_the_scope) {
    const auto refused = send_as("owner-key", "POST", "/v1/keys");
    EXPECT_EQ(refused.status, 403);
    EXPECT_NE(refused.body.find("auth.sign_in_required"), std::string::npos);
    EXPECT_EQ(send_as("owner-key", "POST", "/v1/things").status, 200);
    EXPECT_EQ(send_as("owner-token", "POST", "/v1/keys").status, 200);
    EXPECT_EQ(send_as("viewer-token", "POST", "/v1/keys").status, 403);
}

TEST_F(GatewayTest, an_operation_whose_body_proves_who_calls_reads_no_credential) {
    EXPECT_EQ(send(head_of("POST", "/v1/login"), "password").body, "password");
    EXPECT_EQ(send_as("wrong-token", "POST", "/v1/login").status, 200);
}

TEST_F(GatewayTest, the_ways_people_look_for_the_reference_lead_to_it) {
    for (const auto* path : {"/", "/docs/"}) {
        const auto reply = send(head_of("GET", path));
        EXPECT_EQ(reply.status, 302) << path;
        EXPECT_EQ(header_of(reply, "Location"), "/docs") << path;
    }
    EXPECT_EQ(send(head_of("POST", "/")).status, 404);
}

TEST_F(GatewayTest, a_cached_credential_is_authorised_like_any_other) {
    authenticator.is_caching = true;
    EXPECT_EQ(send_as("viewer-token", "GET", "/v1/things/1").status, 200);
    EXPECT_EQ(send_as("viewer-token", "POST", "/v1/things").status, 403);
    EXPECT_EQ(send_as("agent-token", "GET", "/v1/things/1").status, 403);
}

TEST_F(GatewayTest, an_answer_to_a_credential_is_not_to_be_stored) {
    EXPECT_EQ(
        header_of(send_as("viewer-token", "GET", "/v1/things/1"), "Cache-Control"), "no-store"
    );
    EXPECT_EQ(header_of(send(head_of("GET", "/v1/open")), "Cache-Control"), "");
}

TEST_F(GatewayTest, what_a_handler_throws_stays_inside) {
    handler = [](const api::RequestParts&) -> api::Outcome {
        throw std::runtime_error("the secret plan");
    };
    const auto reply = send(head_of("GET", "/v1/open"));
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(reply.body.find("secret"), std::string::npos);
    handler = [](const api::RequestParts&) -> api::Outcome {
        throw db::DatabaseError("disk full");
    };
    const auto busy = send(head_of("GET", "/v1/open"));
    EXPECT_EQ(busy.status, 503);
    EXPECT_NE(busy.body.find("database.unavailable"), std::string::npos);
    EXPECT_FALSE(header_of(busy, "Retry-After").empty());
}

// Time fails from the moment that it is told to: a stand-in for what runs out around a handler.
class FailingClock final : public Clock {
 public:
    Timestamp now() const override { return {}; }
    SteadyTime steady_now() const override {
        if (has_failed) throw std::bad_alloc();
        return {};
    }
    std::atomic<bool> has_failed = false;
};

TEST_F(GatewayTest, what_fails_around_a_handler_is_answered_too) {
    FailingClock failing;
    Gateway other{{
        .router = router,
        .authenticator = authenticator,
        .pool = pool,
        .clock = failing,
        .random = random,
        .metrics = metrics,
        .digest_key = "key",
        .limits = limits,
        .receipts = receipts,
        .access_log = AccessLog::off,
    }};
    handler = [&](const api::RequestParts&) -> api::Outcome {
        failing.has_failed = true;
        return api::Reply{};
    };
    auto plan = other.plan(head_of("GET", "/v1/open"));
    std::promise<api::Outcome> promise;
    plan.run("", [&](api::Outcome outcome) { promise.set_value(std::move(outcome)); });
    auto answer = promise.get_future();
    ASSERT_EQ(answer.wait_for(std::chrono::seconds{10}), std::future_status::ready);
    const auto reply = std::get<api::Reply>(answer.get());
    EXPECT_EQ(reply.status, 500);
    EXPECT_TRUE(header_of(reply, "X-Request-Id").starts_with("req_"));
}

TEST_F(GatewayTest, the_budget_of_a_request_starts_when_its_body_is_there) {
    std::optional<Deadline> deadline;
    look = [&](const Call& call) { deadline = call.deadline; };
    auto plan = gateway->plan(head_of("GET", "/v1/open"));
    clock.advance(std::chrono::seconds{40});  // the client's, with its body
    std::promise<api::Outcome> promise;
    plan.run("", [&](api::Outcome outcome) { promise.set_value(std::move(outcome)); });
    EXPECT_EQ(std::get<api::Reply>(promise.get_future().get()).status, 200);
    EXPECT_EQ(deadline->remaining(clock), kRequestBudget);
}

TEST_F(GatewayTest, a_request_whose_time_was_over_before_its_turn_is_504_and_did_nothing) {
    std::promise<void> gate;
    const auto opened = gate.get_future().share();
    std::atomic<int> started = 0;
    handler = [&](const api::RequestParts&) -> api::Outcome {
        ++started;
        opened.wait();
        return api::Reply{};
    };
    std::atomic<int> answered = 0;
    std::vector<http::Plan> plans;
    std::promise<api::Outcome> last;
    for (int i = 0; i < 2; ++i) {
        plans.push_back(gateway->plan(head_of("GET", "/v1/open")));
        plans.back().run("", [&](const api::Outcome&) { ++answered; });
    }
    while (started < 2) std::this_thread::yield();
    plans.push_back(gateway->plan(head_of("GET", "/v1/open")));
    plans.back().run("", [&](api::Outcome outcome) { last.set_value(std::move(outcome)); });
    clock.advance(kRequestBudget);
    gate.set_value();
    const auto reply = std::get<api::Reply>(last.get_future().get());
    EXPECT_EQ(reply.status, 504);
    EXPECT_NE(reply.body.find("gateway.deadline_exceeded"), std::string::npos);
    while (answered < 2) std::this_thread::yield();
    EXPECT_EQ(started, 2);
}

class HeldRequestTest : public GatewayTest {
 protected:
    // What is left of a heartbeat that waits.
    api::HeldReply hold(std::function<api::Reply(api::Wake)> finish) {
        authenticator.is_caching = true;
        handler = [this, finish = std::move(finish)](const api::RequestParts&) -> api::Outcome {
            return api::HeldReply{lot.park("agent-1"), std::chrono::seconds{55}, finish};
        };
        auto head = head_of("POST", "/v1/beat");
        head.headers.emplace_back("authorization", "Bearer agent-token");
        auto plan = gateway->plan(head);
        std::optional<api::Outcome> outcome;
        plan.run(std::string(1024, 'x'), [&](api::Outcome made) { outcome = std::move(made); });
        return std::get<api::HeldReply>(*std::move(outcome));
    }
    api::Reply finish(api::HeldReply held) {
        std::promise<api::Reply> promise;
        gateway->finish_held(std::move(held.finish), api::Wake::news, [&](api::Reply reply) {
            promise.set_value(std::move(reply));
        });
        return promise.get_future().get();
    }

    api::ParkingLot lot;
};

TEST_F(HeldRequestTest, keeps_nothing_of_its_body_and_credential) {
    // The principal lives as long as the request that it was found for.
    std::weak_ptr<const Principal> principal;
    look = [&](const Call& call) { principal = call.principal; };
    auto held = hold([](api::Wake) { return api::Reply{}; });
    EXPECT_TRUE(principal.expired());
    EXPECT_EQ(finish(std::move(held)).status, 200);
}

TEST_F(HeldRequestTest, is_finished_on_the_pool_though_its_queue_is_full) {
    std::thread::id finished_by;
    auto held = hold([&](api::Wake) {
        finished_by = std::this_thread::get_id();
        return api::Reply{};
    });
    std::promise<void> gate;
    const auto opened = gate.get_future().share();
    while (pool.submit([opened] { opened.wait(); })) {}
    std::promise<api::Reply> promise;
    gateway->finish_held(std::move(held.finish), api::Wake::news, [&](api::Reply reply) {
        promise.set_value(std::move(reply));
    });
    gate.set_value();
    EXPECT_EQ(promise.get_future().get().status, 200);
    EXPECT_TRUE(finished_by != std::this_thread::get_id());
}

TEST_F(HeldRequestTest, that_fails_at_its_end_is_answered_like_any_other) {
    auto held = hold([](api::Wake) -> api::Reply { throw db::DatabaseError("disk full"); });
    const auto busy = finish(std::move(held));
    EXPECT_EQ(busy.status, 503);
    EXPECT_NE(busy.body.find("database.unavailable"), std::string::npos);
    held = hold([](api::Wake) -> api::Reply { throw std::runtime_error("a bug"); });
    EXPECT_EQ(finish(std::move(held)).status, 500);
}

TEST_F(GatewayTest, a_full_queue_is_503_with_retry_after) {
    std::promise<void> gate;
    const auto opened = gate.get_future().share();
    handler = [opened](const api::RequestParts&) -> api::Outcome {
        opened.wait();
        return api::Reply{};
    };
    std::atomic<int> answered = 0;
    std::atomic<int> refused = 0;
    for (int i = 0; i < 12; ++i) {
        auto plan = gateway->plan(head_of("GET", "/v1/open"));
        plan.run("", [&](api::Outcome outcome) {
            const auto& reply = std::get<api::Reply>(outcome);
            if (reply.status == 503 && !header_of(reply, "Retry-After").empty()) ++refused;
            ++answered;
        });
    }
    EXPECT_GE(refused, 6);
    gate.set_value();
    while (answered < 12) std::this_thread::yield();
}

TEST_F(GatewayTest, unpacks_an_agents_body_and_nobody_elses) {
    auto head = head_of("POST", "/v1/agent");
    head.headers = {{"authorization", "Bearer agent-token"}, {"content-encoding", "gzip"}};
    EXPECT_EQ(send(head, api::gzip("hello")).body, "hello");
    EXPECT_EQ(send(head, "hello").status, 400);
    EXPECT_EQ(send(head, api::gzip(std::string(kUnpackedBytesMax + 1, 'x'))).status, 413);
    head.headers[1].second = "br";
    EXPECT_EQ(send(head, "hello").status, 415);
    auto other = head_of("GET", "/v1/open");
    other.headers = {{"content-encoding", "gzip"}};
    EXPECT_EQ(send(other, api::gzip("hello")).status, 415);
}

TEST_F(GatewayTest, options_tells_what_a_path_understands) {
    const auto reply = send(head_of("OPTIONS", "/v1/things/1"));
    EXPECT_EQ(reply.status, 204);
    EXPECT_EQ(header_of(reply, "Allow"), "GET, HEAD, OPTIONS");
    EXPECT_FALSE(header_of(reply, "X-Request-Id").empty());
    EXPECT_EQ(send(head_of("OPTIONS", "/v1/nothing")).status, 404);
}

TEST_F(GatewayTest, a_caller_that_traces_gets_the_span_of_its_request_and_so_does_the_handler) {
    std::string seen;
    look = [&](const Call& call) { seen = call.traceparent; };
    auto head = head_of("GET", "/v1/open");
    send(head);
    EXPECT_EQ(seen, "");
    head.headers.emplace_back(
        "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    );
    const auto reply = send(head);
    EXPECT_THAT(seen, ::testing::StartsWith("00-0af7651916cd43dd8448eb211c80319c-"));
    EXPECT_THAT(seen, ::testing::Not(::testing::HasSubstr("b7ad6b7169203331")));
    EXPECT_EQ(header_of(reply, "traceparent"), seen);
}

TEST_F(GatewayTest, the_client_behind_a_trusted_proxy_is_who_calls) {
    std::string seen;
    look = [&](const Call& call) { seen = call.client_address; };
    auto parts = gateway_parts();
    parts.proxies = TrustedProxies{{net::IpNetwork::parse("127.0.0.0/8").value()}};
    gateway.emplace(parts);
    auto head = head_of("GET", "/v1/open");
    head.headers.emplace_back("x-forwarded-for", "192.0.2.7");
    send(head);
    EXPECT_EQ(seen, "192.0.2.7");
    gateway.emplace(gateway_parts());
    send(head);
    EXPECT_EQ(seen, "127.0.0.1");
}

TEST_F(GatewayTest, what_the_client_says_that_it_is_is_cut_and_made_printable) {
    std::string seen = "nothing";
    look = [&](const Call& call) { seen = call.user_agent; };
    auto head = head_of("GET", "/v1/open");
    send(head);
    EXPECT_EQ(seen, "");
    head.headers.emplace_back("user-agent", "A/1\x1b[2J\xff\t\xc3\xa9" + std::string(300, 'x'));
    send(head);
    EXPECT_EQ(seen, "A/1?[2J????" + std::string(189, 'x'));
}

}  // namespace
}  // namespace synapsex::api_gateway
