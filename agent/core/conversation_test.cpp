// Every path of the conversation, but for sections and keys that are replaced
// (conversation_sections_test.cpp, conversation_keys_test.cpp).

#include <array>

#include <gmock/gmock.h>

#include "agent/core/conversation_fixture.hpp"

namespace synapsex::agent {
namespace {

using Kind = CallFailure::Kind;

TEST_F(ConversationTest, starts_with_a_token_and_a_heartbeat_that_is_not_held) {
    EXPECT_TRUE(wants_token());
    EXPECT_EQ(heartbeat().hold, 0s);
}

TEST_F(ConversationTest, then_proposes_55_seconds) {
    beat();
    EXPECT_EQ(beat().hold, 55s);
}

TEST_F(ConversationTest, halves_the_hold_when_a_proxy_cuts_it_twice_at_the_same_age) {
    beat();
    for (const auto expected : {55s, 55s, 27s, 13s, 6s, 5s, 5s, 5s}) {
        EXPECT_EQ(heartbeat().hold, expected);
        clock_.advance(4s);
        fail(Kind::cut);
        EXPECT_TRUE(conversation_.is_connected()) << "no outage, at the shortest hold neither";
        EXPECT_EQ(beat().hold, 0s) << "what comes after a cut is answered at once";
    }
}

TEST_F(ConversationTest, takes_a_crash_of_the_control_plane_for_no_proxy) {
    beat();
    for (const auto age : {50s, 20s, 40s, 8s}) {
        EXPECT_EQ(heartbeat().hold, 55s);
        clock_.advance(age);
        fail(Kind::cut);
        heartbeat();
        fail(Kind::unreachable);
        EXPECT_FALSE(conversation_.is_connected());
        beat();
    }
}

TEST_F(ConversationTest, spreads_a_fleet_that_was_cut_off_together_over_five_seconds) {
    beat();
    auto shortest = 5'000ms;
    auto longest = 0ms;
    for (int i = 0; i < 50; ++i) {
        heartbeat();
        clock_.advance(std::chrono::seconds{4 + i % 40});
        fail(Kind::cut);
        beat();
        shortest = std::min(shortest, waited_);
        longest = std::max(longest, waited_);
    }
    EXPECT_LT(shortest, 1s);
    EXPECT_GT(longest, 4s);
    EXPECT_LE(longest, 5s);
}

TEST_F(ConversationTest, takes_502_and_504_after_a_while_for_a_cut_too) {
    beat();
    for (const int status : {502, 504}) {
        EXPECT_EQ(heartbeat().hold, 55s);
        clock_.advance(10s);
        fail(Kind::refused, status);
        EXPECT_TRUE(conversation_.is_connected());
        EXPECT_EQ(beat().hold, 0s);
    }
    EXPECT_EQ(heartbeat().hold, 27s);
}

TEST_F(ConversationTest, takes_a_connection_that_ends_at_once_for_an_outage) {
    beat();
    heartbeat();
    clock_.advance(100ms);
    fail(Kind::cut);
    EXPECT_FALSE(conversation_.is_connected());
    EXPECT_EQ(beat().hold, 0s) << "whoever asks learns at once that the outage is over";
    EXPECT_TRUE(conversation_.is_connected());
    EXPECT_EQ(heartbeat().hold, 55s) << "the hold is not to blame and stays";
}

TEST_F(ConversationTest, backs_off_up_to_two_minutes_while_the_server_is_away) {
    beat();
    auto longest = 0ms;
    for (int i = 0; i < 200; ++i) {
        heartbeat();
        fail(Kind::unreachable);
        next();
        longest = std::max(longest, waited_);
    }
    EXPECT_LE(longest, 120s);
    EXPECT_GT(longest, 60s);
}

TEST_F(ConversationTest, honours_retry_after_and_spreads_it) {
    beat();
    heartbeat();
    conversation_.on_heartbeat_failed(
        {.kind = Kind::refused, .status = 503, .code = "", .detail = "", .retry_after = 40s}
    );
    next();
    EXPECT_GE(waited_, 40s);
    EXPECT_LE(waited_, 50s);
}

TEST_F(ConversationTest, waits_as_long_as_the_server_says_within_reason) {
    heartbeat();
    auto told = answer();
    told.next_after = 7s;
    conversation_.on_heartbeat(told, 0);
    next();
    EXPECT_EQ(waited_, 7s);
    told.next_after = 100h;
    conversation_.on_heartbeat(told, 0);
    next();
    EXPECT_EQ(waited_, 15min);
}

TEST_F(ConversationTest, never_beats_faster_than_four_times_a_second) {
    heartbeat();
    conversation_.on_heartbeat(answer(), 0);
    next();
    EXPECT_EQ(waited_, 250ms);
}

TEST_F(ConversationTest, does_not_hold_while_more_telemetry_waits_than_one_body_takes) {
    beat();
    backlog_ = {.samples = 401, .bytes = 10'000};
    EXPECT_EQ(heartbeat().hold, 0s);
    conversation_.on_heartbeat(answer(), 400);
    backlog_ = {.samples = 1, .bytes = 25};
    EXPECT_EQ(heartbeat().hold, 55s);
}

TEST_F(ConversationTest, does_not_hurry_when_the_server_stores_nothing) {
    beat();
    backlog_ = {.samples = 1000, .bytes = 10'000};
    EXPECT_EQ(heartbeat().hold, 0s);
    conversation_.on_heartbeat(answer(), 0);
    EXPECT_EQ(heartbeat().hold, 55s);
}

TEST_F(ConversationTest, gives_up_the_single_sample_that_the_server_refuses) {
    beat();
    backlog_ = {.samples = 1000, .bytes = 10'000};
    for (const std::size_t expected : {400, 200, 100, 50, 25, 12, 6, 3, 1}) {
        EXPECT_EQ(heartbeat().samples_max, expected);
        fail(Kind::refused, 400);
    }
    EXPECT_EQ(heartbeat().samples_max, 0U) << "is it the sample, or the heartbeat?";
    conversation_.on_heartbeat(answer(), 0);
    EXPECT_TRUE(std::holds_alternative<DropSample>(next())) << "it was the sample";
    for (const std::size_t expected : {1, 2, 4}) {
        EXPECT_EQ(heartbeat().samples_max, expected);
        conversation_.on_heartbeat(answer(), expected);
    }
}

TEST_F(ConversationTest, blames_no_sample_for_a_heartbeat_that_is_refused_without_any) {
    beat();
    backlog_ = {.samples = 1000, .bytes = 10'000};
    while (heartbeat().samples_max > 0) fail(Kind::refused, 413);
    fail(Kind::refused, 413);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(heartbeat().samples_max, 0U);
        conversation_.on_heartbeat(answer(), 0);
    }
    clock_.advance(11min);
    EXPECT_EQ(heartbeat().samples_max, 1U);
}

TEST_F(ConversationTest, stays_present_while_the_server_cannot_store) {
    beat();
    backlog_ = {.samples = 10, .bytes = 100};
    int calls = 0;
    int refusals = 0;
    for (const auto end = clock_.now() + 1h; clock_.now() < end; ++calls) {
        const auto sent = heartbeat();
        if (sent.samples_max > 0) {
            ++refusals;
            fail(Kind::refused, 503);
            EXPECT_EQ(heartbeat().samples_max, 0U) << "the next one carries none";
        }
        EXPECT_LE(waited_, 3s);
        clock_.advance(sent.samples_max > 0 ? 0s : sent.hold);
        conversation_.on_heartbeat(answer(), 0);
        EXPECT_TRUE(conversation_.is_connected());
    }
    EXPECT_GT(refusals, 20) << "telemetry is tried again and again";
    EXPECT_LT(calls, 400) << "and not too often";
}

TEST_F(ConversationTest, sends_telemetry_again_once_the_server_can_store) {
    beat();
    backlog_ = {.samples = 10, .bytes = 100};
    EXPECT_EQ(heartbeat().samples_max, 400U);
    fail(Kind::refused, 503);
    EXPECT_EQ(beat().samples_max, 0U);
    clock_.advance(1min);
    EXPECT_EQ(heartbeat().samples_max, 400U);
}

TEST_F(ConversationTest, beats_once_a_slot_while_somebody_watches) {
    beat();
    heartbeat();
    auto live = answer();
    live.live_until = live.server_time + 60s;
    conversation_.on_heartbeat(live, 0);
    for (int i = 0; i < 3; ++i) {
        const auto sent = heartbeat();
        EXPECT_EQ(sent.hold, 0s);
        EXPECT_LE(waited_, 17s);
        const auto into_slot = clock_.now() - start_of_slot(slot_of(clock_.now()));
        EXPECT_GE(into_slot, 500ms) << "the sample of the slot that ended is in the spool";
        EXPECT_LE(into_slot, 1600ms);
        live.server_time = clock_.now();
        conversation_.on_heartbeat(live, 0);
    }
    clock_.advance(60s);
    EXPECT_EQ(heartbeat().hold, 55s);
}

TEST_F(ConversationTest, live_mode_does_not_depend_on_this_machines_clock) {
    beat();
    heartbeat();
    auto live = answer();
    live.server_time += 5h;
    live.live_until = live.server_time + 60s;
    conversation_.on_heartbeat(live, 0);
    EXPECT_EQ(heartbeat().hold, 0s);
    clock_.advance(61s);
    conversation_.on_heartbeat(answer(), 0);
    EXPECT_EQ(heartbeat().hold, 55s);
}

TEST_F(ConversationTest, waits_longer_each_time_that_another_takes_its_place) {
    beat();
    auto superseded = answer();
    superseded.reason = "superseded";
    auto longest = 0ms;
    for (int i = 0; i < 12; ++i) {
        heartbeat();
        conversation_.on_heartbeat(superseded, 0);
        next();
        EXPECT_GE(waited_, 1s);
        longest = std::max(longest, waited_);
    }
    EXPECT_GT(longest, 30s);
}

TEST_F(ConversationTest, leaves_a_draining_server_time) {
    beat();
    auto draining = answer();
    draining.reason = "draining";
    auto longest = 0ms;
    for (int i = 0; i < 30; ++i) {
        heartbeat();
        conversation_.on_heartbeat(draining, 0);
        next();
        longest = std::max(longest, waited_);
    }
    EXPECT_GT(longest, 2s);
    EXPECT_LE(longest, 5s);
}

TEST_F(ConversationTest, fetches_a_token_at_once_after_a_401_and_backs_off_after_the_second) {
    beat();
    heartbeat();
    fail(Kind::refused, 401);
    EXPECT_TRUE(wants_token());
    EXPECT_EQ(waited_, 0ms);
    conversation_.on_token({"token", 900s});
    heartbeat();
    fail(Kind::refused, 401);
    EXPECT_TRUE(wants_token());
}

TEST_F(ConversationTest, keeps_its_identity_and_token_through_any_outage) {
    beat();
    for (const auto kind : {Kind::unreachable, Kind::timeout, Kind::cut, Kind::unreadable}) {
        heartbeat();
        fail(kind);
    }
    EXPECT_EQ(conversation_.access_token(), "token");
}

TEST_F(ConversationTest, says_goodbye_once_when_the_server_is_there) {
    beat();
    heartbeat();
    conversation_.stop("stopping");
    const auto action = conversation_.next({});
    ASSERT_TRUE(std::holds_alternative<SendHeartbeat>(action));
    EXPECT_EQ(std::get<SendHeartbeat>(action).goodbye, "stopping");
    EXPECT_EQ(std::get<SendHeartbeat>(action).hold, 0s);
    fail(Kind::timeout);
    EXPECT_TRUE(std::holds_alternative<Stop>(conversation_.next({})));
}

TEST_F(ConversationTest, stops_without_a_word_when_the_server_is_away) {
    beat();
    heartbeat();
    fail(Kind::unreachable);
    conversation_.stop("stopping");
    EXPECT_TRUE(std::holds_alternative<Stop>(conversation_.next({})));
}

TEST_F(ConversationTest, takes_its_own_cancellation_for_no_failure) {
    beat();
    heartbeat();
    fail(Kind::canceled);
    EXPECT_TRUE(conversation_.is_connected());
}

// A thousand random lives: whatever the server does, the agent neither spins nor goes silent.
TEST(Conversation, survives_any_sequence_of_answers) {
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        testing::FakeClock clock;
        testing::SeededRandom random{seed};
        Conversation conversation{clock, random};
        conversation.set_section({"os", "a"});
        const auto started_at = clock.steady_now();
        // In half of the lives the network takes no time: a busy loop would not be hidden by it.
        const std::uint64_t call_ms_max = seed % 2 == 0 ? 6000 : 1;
        int calls = 0;
        for (int step = 0; step < 300; ++step) {
            const auto action = conversation.next({.samples = random.below(1000), .bytes = 1});
            const int status = std::array{400, 401, 413, 429, 500, 502, 503, 504}[random.below(8)];
            const CallFailure failure{
                .kind = static_cast<Kind>(random.below(5)), .status = status
            };
            const bool is_success = random.below(2) == 0;
            clock.advance(std::chrono::milliseconds{random.below(call_ms_max)});
            if (!std::holds_alternative<Wait>(action)) ++calls;
            if (const auto* wait = std::get_if<Wait>(&action)) {
                ASSERT_GT(wait->time, 0ms) << "seed " << seed;
                ASSERT_LE(wait->time, 18min) << "seed " << seed;
                clock.advance(wait->time);
            } else if (std::holds_alternative<FetchToken>(action)) {
                const std::chrono::seconds lifetime{30 + random.below(1000)};
                if (is_success) conversation.on_token({"token", lifetime});
                else conversation.on_token_failed(failure);
            } else if (std::holds_alternative<DropSample>(action)) {
                continue;
            } else if (std::holds_alternative<PutSection>(action)) {
                if (is_success) conversation.on_section_stored({"os", "a"});
                else conversation.on_section_failed({"os", "a"}, failure);
            } else if (is_success) {
                HeartbeatAnswer told;
                told.want_sections = {"os"};
                told.reason = std::array{"timeout", "superseded", "draining"}[random.below(3)];
                conversation.on_heartbeat(told, random.below(2));
            } else {
                conversation.on_heartbeat_failed(failure);
            }
        }
        const auto lived = clock.steady_now() - started_at;
        ASSERT_LT(lived, 48h) << "seed " << seed;
        ASSERT_LT(calls, 20 + 4 * (lived / 1s)) << "seed " << seed;
    }
}

TEST_F(ConversationTest, samples_wait_while_the_clocks_disagree_and_nothing_else_does) {
    backlog_ = {.samples = 4, .bytes = 400};
    for (const auto off : {24h, -24h, 10 * 365 * 24h, -10 * 365 * 24h}) {
        beat();
        EXPECT_TRUE(conversation_.do_clocks_agree());
        EXPECT_GT(heartbeat().samples_max, 0U);
        clock_.jump(off);
        auto said = answer();
        said.server_time = clock_.now() - off;
        conversation_.on_heartbeat(said, 0);
        for (int i = 0; i < 5; ++i) {
            const auto sent = heartbeat();
            EXPECT_EQ(sent.samples_max, 0U);
            EXPECT_EQ(sent.hold, 55s) << "what cannot be sent is no reason to hurry";
            clock_.advance(sent.hold);
            said.server_time = clock_.now() - off;
            conversation_.on_heartbeat(said, 0);
            EXPECT_TRUE(conversation_.is_connected());
        }
        clock_.jump(-off);
        EXPECT_EQ(heartbeat().samples_max, 0U);
        conversation_.on_heartbeat(answer(), 0);
        EXPECT_GT(heartbeat().samples_max, 0U);
        conversation_.on_heartbeat(answer(), 0);
    }
}

TEST_F(ConversationTest, knows_that_the_clocks_disagree_before_the_first_heartbeat) {
    backlog_ = {.samples = 4, .bytes = 400};
    ASSERT_TRUE(wants_token());
    conversation_.on_token_failed({
        .kind = Kind::refused,
        .status = 401,
        .code = "auth.assertion_skewed",
        .server_time = clock_.now() - 24h,
    });
    EXPECT_TRUE(wants_token());
    conversation_.on_token({"token", 900s});
    EXPECT_EQ(heartbeat().samples_max, 0U);
}

}  // namespace
}  // namespace synapsex::agent
