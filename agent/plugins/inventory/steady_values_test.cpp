#include "agent/plugins/inventory/steady_values.hpp"

#include <gtest/gtest.h>

namespace synapsex::inventory {
namespace {

TEST(SteadyUse, first_report_is_the_nearest_step) {
    EXPECT_EQ(steady_use(0, 10'000, {}), 0U);
    EXPECT_EQ(steady_use(49, 10'000, {}), 0U);
    EXPECT_EQ(steady_use(50, 10'000, {}), 100U);
    EXPECT_EQ(steady_use(5'049, 10'000, {}), 5'000U);
    EXPECT_EQ(steady_use(9'999, 10'000, {}), 10'000U);
}

TEST(SteadyUse, value_at_the_edge_of_a_step_does_not_flicker) {
    auto reported = steady_use(5'040, 10'000, {});
    for (const std::uint64_t used : {5'060U, 5'040U, 5'099U, 4'901U, 5'051U}) {
        EXPECT_EQ(steady_use(used, 10'000, reported), reported) << used;
    }
    reported = steady_use(5'100, 10'000, reported);
    EXPECT_EQ(reported, 5'100U);
    EXPECT_EQ(steady_use(5'049, 10'000, reported), 5'100U);
    EXPECT_EQ(steady_use(5'000, 10'000, reported), 5'000U);
}

TEST(SteadyUse, small_and_absent_sizes_and_contradictions_are_bounded) {
    EXPECT_EQ(steady_use(7, 10, {}), 7U);
    EXPECT_EQ(steady_use(8, 10, 7U), 8U);
    EXPECT_EQ(steady_use(0, 0, {}), 0U);
    EXPECT_EQ(steady_use(5, 0, {}), 0U) << "more than there is";
    EXPECT_EQ(steady_use(~0ULL, ~0ULL, {}), ~0ULL / 100 * 100);
    EXPECT_EQ(steady_use(1'099, 1'099, {}), 1'099U) << "a step beyond the size";
}

TEST(SteadyBootTime, follows_a_clock_that_was_set_and_not_one_that_trembles) {
    EXPECT_EQ(steady_boot_time(100'000'000, {}), 100'000'000);
    EXPECT_EQ(steady_boot_time(101'000'000, 100'000'000), 100'000'000);
    EXPECT_EQ(steady_boot_time(98'000'000, 100'000'000), 100'000'000);
    EXPECT_EQ(steady_boot_time(103'000'000, 100'000'000), 103'000'000);
}

}  // namespace
}  // namespace synapsex::inventory
