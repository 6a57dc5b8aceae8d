#include "agent/core/hold_proposal.hpp"

#include <gtest/gtest.h>

namespace synapsex::agent {
namespace {

using namespace std::chrono_literals;

int beats_until_growth(HoldProposal& hold) {
    const auto before = hold.current();
    int count = 0;
    for (; hold.current() == before && count < 10'000; ++count) hold.on_held();
    return count;
}

// As a proxy cuts: always at the same age.
void cut_twice(HoldProposal& hold) {
    hold.on_cut(4s);
    hold.on_cut(4s + 300ms);
}

TEST(HoldProposal, halves_after_two_cuts_of_about_the_same_age) {
    HoldProposal hold;
    hold.on_cut(30s);
    EXPECT_EQ(hold.current(), 55s) << "it may have been a control plane that crashed";
    hold.on_cut(31s);
    EXPECT_EQ(hold.current(), 27s);
}

TEST(HoldProposal, stays_when_a_control_plane_crashes_now_and_then) {
    HoldProposal hold;
    for (const auto age : {50s, 10s, 33s, 5s, 41s}) hold.on_cut(age);
    EXPECT_EQ(hold.current(), 55s);
}

TEST(HoldProposal, forgets_a_cut_once_a_longer_hold_has_passed) {
    HoldProposal hold;
    hold.on_cut(30s);
    hold.on_held();
    hold.on_cut(30s);
    EXPECT_EQ(hold.current(), 55s);
}

TEST(HoldProposal, grows_back_slowly_after_a_cut) {
    HoldProposal hold;
    cut_twice(hold);
    EXPECT_EQ(hold.current(), 27s);
    EXPECT_EQ(beats_until_growth(hold), 20);
    EXPECT_EQ(hold.current(), 32s);
}

TEST(HoldProposal, comes_back_to_a_proxys_limit_less_and_less_often) {
    HoldProposal hold;
    cut_twice(hold);
    int last = 0;
    for (int i = 0; i < 5; ++i) {
        const int beats = beats_until_growth(hold);
        EXPECT_GT(beats, last);
        last = beats;
        cut_twice(hold);
    }
}

TEST(HoldProposal, has_nothing_shorter_than_five_seconds) {
    HoldProposal hold;
    for (int i = 0; i < 10; ++i) cut_twice(hold);
    EXPECT_EQ(hold.current(), 5s);
}

TEST(HoldProposal, follows_the_servers_limit_down_and_up) {
    HoldProposal hold;
    hold.limit_to(20s);
    EXPECT_EQ(hold.current(), 20s);
    hold.limit_to(0s);
    EXPECT_EQ(hold.current(), 20s) << "a server that says nothing changes nothing";
    hold.limit_to(300s);
    EXPECT_EQ(hold.current(), 55s);
}

}  // namespace
}  // namespace synapsex::agent
