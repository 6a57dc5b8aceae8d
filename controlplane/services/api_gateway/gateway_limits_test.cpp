// What the gateway counts, and what it keeps of a request to explain it.

#include "controlplane/services/api_gateway/gateway_fixture.hpp"

namespace synapsex::api_gateway {
namespace {

TEST_F(GatewayTest, a_request_over_the_tenants_limit_is_refused_before_anything_is_done) {
    authenticator.requests_per_minute = 2;
    int handled = 0;
    handler = [&](const api::RequestParts&) -> api::Outcome {
        ++handled;
        return api::Reply{};
    };
    const auto first = send_as("viewer-token", "GET", "/v1/things/1");
    EXPECT_EQ(header_of(first, "RateLimit-Policy"), R"("tenant";q=2;w=60)");
    EXPECT_EQ(header_of(first, "RateLimit"), R"("tenant";r=1;t=30)");
    EXPECT_EQ(send_as("viewer-token", "GET", "/v1/things/1").status, 200);
    for (const bool is_cached : {false, true}) {
        authenticator.is_caching = is_cached;
        const auto refused = send_as("viewer-token", "GET", "/v1/things/1");
        EXPECT_EQ(refused.status, 429);
        EXPECT_EQ(header_of(refused, "Retry-After"), "30");
        EXPECT_EQ(header_of(refused, "RateLimit"), R"("tenant";r=0;t=60)");
        EXPECT_NE(refused.body.find("request.rate_limited"), std::string::npos);
        EXPECT_FALSE(header_of(refused, "X-Request-Id").empty());
    }
    EXPECT_EQ(handled, 2);
    clock.advance(std::chrono::seconds{30});
    EXPECT_EQ(send_as("viewer-token", "GET", "/v1/things/1").status, 200);
}

TEST_F(GatewayTest, who_guesses_credentials_is_slowed_down_before_each_is_looked_up) {
    const auto send_from = [&](const std::string& address, const std::string& token) {
        auto head = head_of("GET", "/v1/things/1");
        head.client_address = address;
        head.headers.emplace_back("authorization", "Bearer " + token);
        return send(head).status;
    };
    for (int i = 0; i < 1200; ++i) ASSERT_EQ(send_from("203.0.113.7", "guess"), 401);
    const int looked_up = authenticator.looked_up;
    EXPECT_EQ(send_from("203.0.113.7", "guess"), 429);
    EXPECT_EQ(authenticator.looked_up, looked_up);
    EXPECT_EQ(send_from("203.0.113.8", "viewer-token"), 200);
    authenticator.is_caching = true;
    EXPECT_EQ(send_from("203.0.113.7", "viewer-token"), 200) << "who is known already goes on";
}

TEST_F(GatewayTest, a_sign_in_counts_for_its_address_and_a_probe_does_not) {
    const auto status_of = [&](const std::string& method, const std::string& path) {
        auto head = head_of(method, path);
        head.client_address = "203.0.113.7";
        return send(head).status;
    };
    for (int i = 0; i < 1200; ++i) ASSERT_EQ(status_of("POST", "/v1/login"), 200);
    EXPECT_EQ(status_of("POST", "/v1/login"), 429);
    EXPECT_EQ(status_of("GET", "/v1/open"), 200);
}

TEST_F(GatewayTest, a_refusal_can_be_explained_to_who_got_it) {
    const auto explained = [&](const api::Reply& reply) {
        const auto caller = authenticator.authenticate({}, {"viewer-token", {}}).value();
        return receipts.find(header_of(reply, "X-Request-Id"), *caller).value();
    };
    const auto denied = explained(send_as("viewer-token", "POST", "/v1/things"));
    EXPECT_EQ(denied.decided_by, DecidedBy::access);
    EXPECT_EQ(denied.status, 403);
    EXPECT_EQ(denied.credential_source, CredentialSource::database);
    EXPECT_NE(denied.problem.find("auth.scope_missing"), std::string::npos);

    const auto served = explained(send_as("viewer-token", "GET", "/v1/things/1"));
    EXPECT_EQ(served.decided_by, DecidedBy::operation);
    EXPECT_EQ(served.path, "/v1/things/1");
    EXPECT_TRUE(served.problem.empty());

    authenticator.requests_per_minute = 1;
    authenticator.is_caching = true;
    send_as("viewer-token", "GET", "/v1/things/1");
    const auto limited = explained(send_as("viewer-token", "GET", "/v1/things/1"));
    EXPECT_EQ(limited.decided_by, DecidedBy::limit);
    EXPECT_EQ(limited.credential_source, CredentialSource::memory);
    ASSERT_EQ(limited.limits.size(), 1U);
    EXPECT_TRUE(limited.limits[0].level.is_over);
}

}  // namespace
}  // namespace synapsex::api_gateway
