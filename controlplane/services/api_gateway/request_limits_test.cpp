#include "controlplane/services/api_gateway/request_limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::api_gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class RequestLimitsTest : public ::testing::Test {
 protected:
    RequestLimitsTest() {
        caller.kind = PrincipalKind::api_key;
        caller.tenant = TenantId::make(clock.now(), random);
        caller.credential_id = "key_1";
    }

    int admitted(const Principal& principal, int tries) {
        int count = 0;
        for (int i = 0; i < tries; ++i)
            if (!is_over(limits.admit(principal))) ++count;
        return count;
    }
    int admitted(const std::string& address, int tries) {
        int count = 0;
        for (int i = 0; i < tries; ++i)
            if (!is_over(limits.admit(address))) ++count;
        return count;
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    RequestLimits limits{clock, 100};
    Principal caller;
};

TEST_F(RequestLimitsTest, a_tenant_without_a_limit_is_not_counted) {
    EXPECT_THAT(limits.admit(caller), IsEmpty());
    api::Reply reply;
    add_limit_headers({}, reply);
    EXPECT_THAT(reply.headers, IsEmpty());
}

TEST_F(RequestLimitsTest, all_credentials_of_a_tenant_share_its_limit) {
    caller.standing.requests_per_minute = 10;
    EXPECT_EQ(admitted(caller, 6), 6);
    auto other = caller;
    other.credential_id = "key_2";
    EXPECT_EQ(admitted(other, 6), 4);
    auto stranger = caller;
    stranger.tenant = TenantId::make(clock.now(), random);
    EXPECT_EQ(admitted(stranger, 20), 10);
}

TEST_F(RequestLimitsTest, a_plan_that_changes_counts_with_the_next_request) {
    caller.standing.requests_per_minute = 10;
    EXPECT_EQ(admitted(caller, 20), 10);
    caller.standing.requests_per_minute = 6000;
    EXPECT_EQ(limits.admit(caller).back().level.next_in, 10ms);
    clock.advance(1s);
    EXPECT_EQ(admitted(caller, 200), 100);
    caller.standing.requests_per_minute.reset();
    EXPECT_EQ(admitted(caller, 1000), 1000);
}

TEST_F(RequestLimitsTest, a_credential_of_its_own_limit_leaves_the_rest_to_others) {
    caller.standing.requests_per_minute = 100;
    caller.requests_per_minute = 5;
    EXPECT_EQ(admitted(caller, 50), 5);
    const auto seen = limits.admit(caller);
    EXPECT_EQ(seen.back().kind, LimitKind::credential);
    auto other = caller;
    other.credential_id = "key_2";
    other.requests_per_minute.reset();
    EXPECT_EQ(admitted(other, 200), 95) << "what was refused took nothing of the tenant's";
}

TEST_F(RequestLimitsTest, what_the_tenant_has_not_is_not_taken_from_the_credential) {
    caller.standing.requests_per_minute = 1;
    caller.requests_per_minute = 5;
    EXPECT_EQ(admitted(caller, 20), 1);
    caller.standing.requests_per_minute.reset();
    EXPECT_EQ(admitted(caller, 20), 4);
}

TEST_F(RequestLimitsTest, an_agent_has_a_limit_of_its_own_and_none_of_the_tenant) {
    caller.kind = PrincipalKind::agent;
    caller.credential_id = "agt_1";
    caller.standing.requests_per_minute = 1;
    EXPECT_EQ(admitted(caller, 2000), kAgentRequestsPerMinute);
}

TEST_F(RequestLimitsTest, an_address_is_counted_for_who_shows_no_valid_credential) {
    EXPECT_EQ(admitted("203.0.113.7", 200), 100);
    EXPECT_TRUE(is_over(limits.look("203.0.113.7")));
    EXPECT_EQ(admitted("203.0.113.8", 1), 1);
    clock.advance(60s);
    EXPECT_FALSE(is_over(limits.look("203.0.113.7")));
    EXPECT_EQ(admitted("203.0.113.7", 200), 100) << "looking took nothing";
}

TEST_F(RequestLimitsTest, a_network_of_ipv6_is_one_address) {
    EXPECT_EQ(admitted("2001:db8:1:2::1", 100), 100);
    EXPECT_EQ(admitted("2001:db8:1:2:ffff::2", 100), 0);
    EXPECT_EQ(admitted("2001:db8:1:3::1", 1), 1);
    EXPECT_EQ(admitted("::ffff:203.0.113.9", 100), 100);
    EXPECT_EQ(admitted("203.0.113.9", 100), 0) << "the same address, written as IPv6";
}

TEST_F(RequestLimitsTest, loopback_is_not_counted_nor_any_address_where_it_is_switched_off) {
    for (const auto* address : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"})
        EXPECT_EQ(admitted(address, 500), 500) << address;
    RequestLimits none{clock, 0};
    for (int i = 0; i < 500; ++i) EXPECT_THAT(none.admit("203.0.113.7"), IsEmpty());
}

TEST_F(RequestLimitsTest, headers_name_every_limit_and_what_is_left_of_the_tightest) {
    caller.standing.requests_per_minute = 600;
    caller.requests_per_minute = 60;
    api::Reply reply;
    add_limit_headers(limits.admit(caller), reply);
    EXPECT_THAT(
        reply.headers,
        ElementsAre(
            Pair("RateLimit-Policy", R"("credential";q=60;w=60, "tenant";q=600;w=60)"),
            Pair("RateLimit", R"("credential";r=59;t=1)")
        )
    );
}

TEST_F(RequestLimitsTest, a_refusal_says_whose_limit_it_is_and_when_to_come_again) {
    caller.standing.requests_per_minute = 6;
    admitted(caller, 6);
    clock.advance(3500ms);
    const auto problem = over_limit(limits.admit(caller));
    EXPECT_EQ(problem.kind, Kind::rate_limited);
    EXPECT_EQ(problem.code, "request.rate_limited");
    EXPECT_EQ(problem.retry_after, 7s);
    EXPECT_EQ(
        problem.detail,
        "The tenant's plan allows 6 requests in 60 s, and has used them up. Try again in 7 s."
    );
    admitted("203.0.113.7", 100);
    EXPECT_THAT(over_limit(limits.admit("203.0.113.7")).detail, HasSubstr("valid credential"));
}

}  // namespace
}  // namespace synapsex::api_gateway
