#include "controlplane/platform/api/parking.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace synapsex::api {
namespace {

TEST(ParkingLot, wakes_who_waits_under_the_key_and_nobody_else) {
    ParkingLot lot;
    const auto one = lot.park("one");
    const auto two = lot.park("two");
    EXPECT_TRUE(lot.wake("one", Wake::news));
    EXPECT_EQ(one->reason(), Wake::news);
    EXPECT_EQ(two->reason(), std::nullopt);
    EXPECT_FALSE(lot.wake("three", Wake::news));
}

TEST(ParkingLot, calls_back_once_with_the_first_reason) {
    ParkingLot lot;
    const auto ticket = lot.park("key");
    std::vector<Wake> heard;
    ticket->on_wake([&](Wake wake) { heard.push_back(wake); });
    EXPECT_TRUE(heard.empty());
    ticket->wake(Wake::timeout);
    ticket->wake(Wake::news);
    lot.wake("key", Wake::draining);
    EXPECT_EQ(heard, std::vector{Wake::timeout});
}

TEST(ParkingLot, does_not_lose_a_wake_that_comes_before_the_wait) {
    ParkingLot lot;
    const auto ticket = lot.park("key");
    lot.wake("key", Wake::news);
    std::vector<Wake> heard;
    ticket->on_wake([&](Wake wake) { heard.push_back(wake); });
    EXPECT_EQ(heard, std::vector{Wake::news});
}

TEST(ParkingLot, answers_the_older_request_when_the_key_parks_again) {
    ParkingLot lot;
    auto older = lot.park("key");
    const auto newer = lot.park("key");
    EXPECT_EQ(older->reason(), Wake::superseded);
    older.reset();  // must not take the newer one's place away
    EXPECT_EQ(lot.size(), 1u);
    EXPECT_TRUE(lot.wake("key", Wake::news));
    EXPECT_EQ(newer->reason(), Wake::news);
}

TEST(ParkingLot, forgets_tickets_that_are_gone) {
    ParkingLot lot;
    lot.park("key");
    EXPECT_EQ(lot.size(), 0u);
    EXPECT_FALSE(lot.wake("key", Wake::news));
}

TEST(ParkingLot, wakes_everybody) {
    ParkingLot lot;
    const auto one = lot.park("one");
    const auto two = lot.park("two");
    lot.wake_all(Wake::draining);
    EXPECT_EQ(one->reason(), Wake::draining);
    EXPECT_EQ(two->reason(), Wake::draining);
}

TEST(ParkingLot, names_the_keys_under_which_somebody_waits) {
    ParkingLot lot;
    const auto first = lot.park("first");
    auto second = lot.park("second");
    EXPECT_EQ(lot.keys(), (std::unordered_set<std::string>{"first", "second"}));
    second.reset();
    EXPECT_EQ(lot.keys(), std::unordered_set<std::string>{"first"});
}

TEST(ParkingLot, lets_a_callback_use_the_lot) {
    ParkingLot lot;
    const auto ticket = lot.park("key");
    std::unique_ptr<Ticket> again;
    ticket->on_wake([&](Wake) { again = lot.park("key"); });
    EXPECT_TRUE(lot.wake("key", Wake::news));
    EXPECT_EQ(again->reason(), std::nullopt);
}

TEST(ParkingLot, stands_wakes_while_tickets_come_and_go) {
    ParkingLot lot;
    std::atomic<bool> is_over{false};
    std::thread waker{[&] {
        while (!is_over) lot.wake("key", Wake::news);
    }};
    for (int i = 0; i < 10'000; ++i) {
        std::atomic<int> calls{0};
        auto ticket = lot.park("key");
        ticket->on_wake([&](Wake) { ++calls; });
        ticket->wake(Wake::timeout);
        while (calls == 0) {}
        EXPECT_EQ(calls, 1);
    }
    is_over = true;
    waker.join();
}

}  // namespace
}  // namespace synapsex::api
