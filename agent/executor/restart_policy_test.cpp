#include "agent/executor/restart_policy.hpp"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.hpp"

namespace synapsex::executor {
namespace {

using namespace std::chrono_literals;

TEST(RestartPolicy, waits_ever_longer_for_a_child_that_dies_young) {
    testing::SeededRandom random;
    RestartPolicy policy{random};
    SteadyTime now{};
    auto longest = 0ms;
    for (int i = 0; i < 40; ++i) {
        policy.on_started(now);
        const auto wait = policy.on_ended(now + 1s, 1);
        ASSERT_TRUE(wait);
        if (i == 0) {
            EXPECT_LE(*wait, 500ms);
        }
        longest = std::max(longest, *wait);
    }
    EXPECT_GT(longest, 20s);
    EXPECT_LE(longest, 60s);
}

TEST(RestartPolicy, forgives_after_a_long_life) {
    testing::SeededRandom random;
    RestartPolicy policy{random};
    SteadyTime now{};
    for (int i = 0; i < 40; ++i) policy.on_ended(now, -1);
    policy.on_started(now);
    EXPECT_LE(policy.on_ended(now + 61s, 0), 500ms);
}

TEST(RestartPolicy, does_not_start_again_what_needs_a_person) {
    testing::SeededRandom random;
    EXPECT_EQ(RestartPolicy{random}.on_ended({}, kExitForPerson), std::nullopt);
}

}  // namespace
}  // namespace synapsex::executor
