#include "controlplane/services/api_gateway/rate_limiter.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace synapsex::api_gateway {
namespace {

using namespace std::chrono_literals;

class RateLimiterTest : public ::testing::Test {
 protected:
    int taken(std::string_view key, const Quota& of, int tries) {
        int count = 0;
        for (int i = 0; i < tries; ++i)
            if (!limiter.take(key, of).is_over) ++count;
        return count;
    }

    testing::FakeClock clock;
    RateLimiter limiter{clock, 1600};
    const Quota quota{60, 60s};
};

TEST_F(RateLimiterTest, gives_the_whole_quota_at_once_and_then_what_flows_back) {
    EXPECT_EQ(taken("a", quota, 100), 60);
    clock.advance(999ms);
    EXPECT_EQ(taken("a", quota, 1), 0);
    clock.advance(1ms);
    EXPECT_EQ(taken("a", quota, 2), 1);
    clock.advance(10s);
    EXPECT_EQ(taken("a", quota, 20), 10);
}

// What a fixed window would let through around its edge.
TEST_F(RateLimiterTest, lets_no_more_than_twice_the_quota_through_in_any_window) {
    int count = 0;
    for (int i = 0; i < 600; ++i) {
        count += taken("a", quota, 5);
        clock.advance(100ms);
    }
    EXPECT_EQ(count, 60 + 59);
}

TEST_F(RateLimiterTest, says_what_is_left_and_when_there_will_be_more) {
    const auto first = limiter.take("a", quota);
    EXPECT_EQ(first.remaining, 59);
    EXPECT_EQ(first.full_in, 1s);
    EXPECT_EQ(first.next_in, 0s);
    taken("a", quota, 59);
    clock.advance(400ms);
    const auto refused = limiter.take("a", quota);
    EXPECT_TRUE(refused.is_over);
    EXPECT_EQ(refused.remaining, 0);
    EXPECT_EQ(refused.next_in, 600ms);
    EXPECT_EQ(refused.full_in, 59'600ms);
}

TEST_F(RateLimiterTest, a_refused_request_costs_nothing) {
    taken("a", quota, 10'000);
    clock.advance(1s);
    EXPECT_EQ(taken("a", quota, 1), 1);
}

TEST_F(RateLimiterTest, keys_do_not_share_a_bucket) {
    taken("a", quota, 60);
    EXPECT_EQ(taken("b", quota, 60), 60);
}

TEST_F(RateLimiterTest, looking_takes_nothing) {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter.look("a", quota).remaining, 60);
    taken("a", quota, 60);
    EXPECT_TRUE(limiter.look("a", quota).is_over);
    EXPECT_EQ(limiter.look("a", quota).next_in, 1s);
}

TEST_F(RateLimiterTest, what_is_given_back_can_be_taken_again) {
    taken("a", quota, 60);
    limiter.give_back("a", quota);
    EXPECT_EQ(taken("a", quota, 5), 1);
    limiter.give_back("unknown", quota);
    EXPECT_EQ(taken("unknown", quota, 100), 60) << "never more than the quota";
}

// What was used up stays used up, and flows back as the new quota says.
TEST_F(RateLimiterTest, another_quota_counts_at_once_in_both_directions) {
    taken("a", quota, 60);
    const Quota larger{6000, 60s};
    EXPECT_EQ(limiter.take("a", larger).next_in, 10ms);
    clock.advance(1s);
    EXPECT_EQ(taken("a", larger, 200), 100);
    clock.advance(10min);
    taken("a", larger, 6000);
    const auto refused = limiter.take("a", Quota{6, 60s});
    EXPECT_TRUE(refused.is_over);
    EXPECT_EQ(refused.next_in, 10s);
}

TEST_F(RateLimiterTest, keeps_only_those_who_asked_of_late) {
    for (int i = 0; i < 1000; ++i) limiter.take("key " + std::to_string(i), quota);
    EXPECT_EQ(limiter.size(), 1000U);
    clock.advance(61s);
    for (int i = 0; i < 5000; ++i) limiter.take("new " + std::to_string(i), quota);
    EXPECT_LE(limiter.size(), 1600U);
}

TEST_F(RateLimiterTest, a_flood_of_new_keys_does_not_free_who_is_over_its_limit) {
    taken("greedy", quota, 60);
    for (int i = 0; i < 20'000; ++i) limiter.take("flood " + std::to_string(i), quota);
    EXPECT_TRUE(limiter.take("greedy", quota).is_over);
    EXPECT_LE(limiter.size(), 1600U);
}

}  // namespace
}  // namespace synapsex::api_gateway
