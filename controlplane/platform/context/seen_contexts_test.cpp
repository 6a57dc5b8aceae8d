#include "controlplane/platform/context/seen_contexts.hpp"

#include <gtest/gtest.h>

#include <string>

namespace synapsex::context {
namespace {

using namespace std::chrono_literals;
using Answer = SeenContexts::Answer;

constexpr SteadyTime kStart{1h};

std::string jti_of(char c) { return std::string(16, c); }

TEST(SeenContexts, the_first_time_is_told_from_later_ones) {
    SeenContexts seen{40s, 10};
    EXPECT_EQ(seen.note(jti_of('a'), kStart), Answer::first_time);
    EXPECT_EQ(seen.note(jti_of('a'), kStart), Answer::again);
    EXPECT_EQ(seen.note(jti_of('b'), kStart), Answer::first_time);
}

TEST(SeenContexts, are_remembered_for_their_lifetime_whenever_they_came) {
    for (auto came = 0s; came < 80s; came += 1s) {
        SeenContexts seen{40s, 10};
        seen.note(jti_of('x'), kStart);  // begins a set
        seen.note(jti_of('a'), kStart + came);
        for (auto later = came; later < came + 40s; later += 1s) {
            seen.note(jti_of('y'), kStart + later);
            EXPECT_EQ(seen.note(jti_of('a'), kStart + later), Answer::again)
                << came.count() << " " << later.count();
        }
    }
}

TEST(SeenContexts, are_forgotten_after_twice_their_lifetime) {
    SeenContexts seen{40s, 10};
    seen.note(jti_of('a'), kStart);
    EXPECT_EQ(seen.note(jti_of('a'), kStart + 80s), Answer::first_time);
}

TEST(SeenContexts, no_more_are_noted_than_the_limit_and_room_comes_with_time) {
    SeenContexts seen{40s, 3};
    for (const char c : {'a', 'b', 'c'})
        EXPECT_EQ(seen.note(jti_of(c), kStart), Answer::first_time);
    EXPECT_EQ(seen.note(jti_of('d'), kStart), Answer::full);
    EXPECT_EQ(seen.note(jti_of('a'), kStart), Answer::again);
    EXPECT_EQ(seen.note(jti_of('d'), kStart + 40s), Answer::first_time);
}

}  // namespace
}  // namespace synapsex::context
