#include "agent/app/clock_comparison.hpp"

#include <gmock/gmock.h>

namespace synapsex::agent {
namespace {

using Outcome = ConnectionStep::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

const Timestamp kAsked = *parse_rfc3339("2026-03-01T12:00:00.4Z");

// The server's clock is behind this one's by `behind`, and it answers after `server_took` of the
// `took` that the whole request takes.
ConnectionStep compared(seconds behind, milliseconds took, milliseconds server_took) {
    return compare_clocks({
        .asked_at = kAsked,
        .answered_at = kAsked + took,
        .date = std::chrono::floor<seconds>(kAsked + server_took - behind),
    });
}

TEST(ClockComparison, finds_a_difference_of_more_than_a_minute_in_both_directions) {
    for (const auto hour : {seconds{3600}, seconds{-3600}}) {
        const auto step = compared(hour, milliseconds{20}, milliseconds{10});
        EXPECT_EQ(step.outcome, Outcome::failed);
        EXPECT_THAT(step.detail, HasSubstr(hour > seconds{0} ? "3599 to 3601 s ahead of the server"
                                                             : "3599 to 3601 s behind the server"));
        EXPECT_THAT(step.advice, HasSubstr("timedatectl"));
    }
    EXPECT_EQ(compared(seconds{63}, milliseconds{20}, milliseconds{10}).outcome, Outcome::failed);
    EXPECT_EQ(compared(seconds{-63}, milliseconds{20}, milliseconds{10}).outcome, Outcome::failed);
}

TEST(ClockComparison, lets_less_than_a_minute_pass_and_says_it) {
    const auto step = compared(seconds{40}, milliseconds{20}, milliseconds{10});
    EXPECT_EQ(step.outcome, Outcome::ok);
    EXPECT_THAT(step.detail, HasSubstr(" s ahead of"));
}

TEST(ClockComparison, takes_no_slow_answer_for_a_wrong_clock) {
    for (const auto server_took : {milliseconds{0}, milliseconds{45'000}, milliseconds{90'000}}) {
        const auto step = compared(seconds{0}, milliseconds{90'000}, server_took);
        EXPECT_EQ(step.outcome, Outcome::ok) << server_took.count();
        EXPECT_THAT(step.detail, HasSubstr("as the server's, as far as an answer that took 9"));
    }
    EXPECT_EQ(compared(seconds{0}, milliseconds{20}, milliseconds{10}).detail, "as the server's");
}

TEST(ClockComparison, finds_a_wrong_clock_behind_a_slow_answer_too) {
    for (const auto server_took : {milliseconds{0}, milliseconds{9'000}})
        for (const auto wrong : {seconds{3600}, seconds{-3600}})
            EXPECT_EQ(compared(wrong, milliseconds{9'000}, server_took).outcome, Outcome::failed);
}

}  // namespace
}  // namespace synapsex::agent
