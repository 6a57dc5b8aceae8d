#include "agent/core/access_tokens.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::agent {
namespace {

using namespace std::chrono_literals;

class AccessTokensTest : public ::testing::Test {
 protected:
    CallFailure refused(std::string code) const {
        return {.kind = CallFailure::Kind::refused, .status = 401, .code = std::move(code)};
    }
    std::chrono::nanoseconds wait() const { return tokens_.not_before() - clock_.steady_now(); }

    testing::FakeClock clock_;
    testing::SeededRandom random_;
    AccessTokens tokens_{clock_, random_};
};

TEST_F(AccessTokensTest, fetches_at_first_and_again_at_four_fifths_of_the_life) {
    EXPECT_TRUE(tokens_.is_fetch_due());
    tokens_.on_fetched({"one", 900s});
    EXPECT_FALSE(tokens_.is_fetch_due());
    clock_.advance(719s);
    EXPECT_FALSE(tokens_.is_fetch_due());
    clock_.advance(2s);
    EXPECT_TRUE(tokens_.is_fetch_due());
    EXPECT_EQ(tokens_.usable(), "one") << "good until it expires";
    clock_.advance(180s);
    EXPECT_EQ(tokens_.usable(), "");
}

TEST_F(AccessTokensTest, corrects_a_wrong_clock_and_asks_again_at_once) {
    auto failure = refused("auth.assertion_skewed");
    failure.server_time = clock_.now() + 3h;
    tokens_.on_failed(failure);
    EXPECT_TRUE(tokens_.is_fetch_due());
    EXPECT_EQ(tokens_.assertion_time(), clock_.now() + 3h);
}

TEST_F(AccessTokensTest, corrects_a_clock_that_is_off_by_a_day_or_ten_years_either_way) {
    for (const auto off : {24h, -24h, 10 * 365 * 24h, -10 * 365 * 24h}) {
        AccessTokens tokens{clock_, random_};
        auto failure = refused("auth.assertion_skewed");
        failure.server_time = clock_.now() + off;
        tokens.on_failed(failure);
        EXPECT_TRUE(tokens.is_fetch_due());
        EXPECT_EQ(tokens.assertion_time(), clock_.now() + off);
        tokens.on_fetched({"one", 900s});
        clock_.jump(off);
        EXPECT_EQ(tokens.usable(), "one") << "its life does not depend on the clock";
        clock_.jump(-off);
    }
}

TEST_F(AccessTokensTest, learns_from_an_assertion_that_is_taken_for_expired_too) {
    auto failure = refused("auth.assertion_expired");
    failure.server_time = clock_.now() + 61s;
    tokens_.on_failed(failure);
    EXPECT_TRUE(tokens_.is_fetch_due());
    EXPECT_EQ(tokens_.assertion_time(), clock_.now() + 61s);
}

TEST_F(AccessTokensTest, backs_off_when_the_correction_does_not_help) {
    auto failure = refused("auth.assertion_skewed");
    failure.server_time = clock_.now() + 3h;
    tokens_.on_failed(failure);
    auto longest = 0ns;
    for (int i = 0; i < 20; ++i) {
        tokens_.on_failed(failure);
        longest = std::max(longest, wait());
    }
    EXPECT_GT(longest, 30s);
}

TEST_F(AccessTokensTest, learns_the_skew_anew_when_the_clock_is_set) {
    auto failure = refused("auth.assertion_skewed");
    failure.server_time = clock_.now() + 3h;
    tokens_.on_failed(failure);
    tokens_.on_fetched({"one", 900s});
    clock_.jump(3h);
    failure.server_time = clock_.now();
    tokens_.on_failed(failure);
    EXPECT_EQ(tokens_.assertion_time(), clock_.now());
    EXPECT_TRUE(wait() <= 0ns);
}

TEST_F(AccessTokensTest, falls_silent_for_a_quarter_of_an_hour_when_it_is_unknown_or_revoked) {
    for (const auto* code : {"auth.unknown_key", "auth.agent_revoked"})
        for (int i = 0; i < 50; ++i) {
            tokens_.on_failed(refused(code));
            EXPECT_GE(wait(), 12min);
            EXPECT_LE(wait(), 18min);
        }
}

TEST_F(AccessTokensTest, falls_silent_for_nothing_else) {
    for (const auto* code : {"auth.assertion_invalid", "auth.assertion_replayed", ""}) {
        tokens_.on_failed(refused(code));
        EXPECT_LE(wait(), 120s);
    }
}

TEST_F(AccessTokensTest, keeps_a_good_token_when_the_refresh_fails) {
    tokens_.on_fetched({"one", 900s});
    clock_.advance(800s);
    tokens_.on_failed({.kind = CallFailure::Kind::unreachable});
    EXPECT_EQ(tokens_.usable(), "one");
}

}  // namespace
}  // namespace synapsex::agent
