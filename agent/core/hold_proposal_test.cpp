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

TEST(HoldProposal, grows_back_slowly_after_a_cut) {
    HoldProposal hold;
    EXPECT_TRUE(hold.on_cut());
    EXPECT_EQ(hold.current(), 27s);
    EXPECT_EQ(beats_until_growth(hold), 20);
    EXPECT_EQ(hold.current(), 32s);
}

TEST(HoldProposal, comes_back_to_a_proxys_limit_less_and_less_often) {
    HoldProposal hold;
    hold.on_cut();
    int last = 0;
    for (int i = 0; i < 5; ++i) {
        const int beats = beats_until_growth(hold);
        EXPECT_GT(beats, last);
        last = beats;
        hold.on_cut();
        hold.on_cut();
    }
}

TEST(HoldProposal, has_nothing_shorter_than_five_seconds) {
    HoldProposal hold;
    while (hold.on_cut()) continue;
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
