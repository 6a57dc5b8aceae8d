#include "controlplane/services/agent_registry/presence.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::agent_registry {
namespace {

using namespace std::chrono_literals;

class PresenceTest : public ::testing::Test {
 protected:
    AgentRow agent_row(State state = State::unknown) {
        clock.advance(1ms);
        AgentRow row;
        row.tenant_id = TenantId::make(clock.now(), random);
        row.agent_id = AgentId::make(clock.now(), random);
        row.vm_id = VmId::derived_from(row.agent_id);
        row.state = state;
        return row;
    }
    AgentId enroll() {
        const auto row = agent_row();
        book.add(row);
        book.sweep();
        return row.agent_id;
    }
    // The states that sweeps write, without repeats.
    std::vector<State> sweep_states() {
        std::vector<State> states;
        for (const auto& change : book.sweep())
            if (change.is_state_new) states.push_back(change.sighting.state);
        return states;
    }

    testing::FakeClock clock;
    testing::SeededRandom random;
    PresenceBook book{clock};
};

TEST(Combine, admission_comes_before_everything_else) {
    for (const auto connectivity :
         {Connectivity::unknown, Connectivity::online, Connectivity::lost}) {
        EXPECT_EQ(
            combine(connectivity, Condition::ok, Activity::updating, Admission::quarantined),
            State::quarantined
        );
        EXPECT_EQ(
            combine(connectivity, Condition::degraded, Activity::none, Admission::pending),
            State::pending
        );
    }
}

TEST(Combine, follows_the_table_for_active_agents) {
    const auto active = [](Connectivity connectivity, Condition condition, Activity activity) {
        return combine(connectivity, condition, activity, Admission::active);
    };
    EXPECT_EQ(active(Connectivity::unknown, Condition::ok, Activity::rebooting), State::unknown);
    EXPECT_EQ(active(Connectivity::lost, Condition::ok, Activity::rebooting), State::lost);
    EXPECT_EQ(active(Connectivity::offline, Condition::ok, Activity::rebooting), State::rebooting);
    EXPECT_EQ(active(Connectivity::late, Condition::ok, Activity::updating), State::updating);
    EXPECT_EQ(active(Connectivity::online, Condition::degraded, Activity::none), State::degraded);
    EXPECT_EQ(active(Connectivity::online, Condition::ok, Activity::none), State::online);
    EXPECT_EQ(active(Connectivity::late, Condition::degraded, Activity::none), State::late);
    EXPECT_EQ(active(Connectivity::offline, Condition::degraded, Activity::none), State::offline);
}

TEST_F(PresenceTest, an_agent_is_online_then_late_then_offline_then_lost) {
    const auto agent = enroll();
    EXPECT_EQ(book.state_of(agent), State::unknown);
    EXPECT_TRUE(book.contact(agent, {.sequence = 1}));
    EXPECT_EQ(sweep_states(), std::vector{State::online});
    clock.advance(150s);
    EXPECT_TRUE(sweep_states().empty());
    clock.advance(1s);
    EXPECT_EQ(sweep_states(), std::vector{State::late});
    clock.advance(150s);
    EXPECT_EQ(sweep_states(), std::vector{State::offline});
    clock.advance(24h);
    EXPECT_EQ(sweep_states(), std::vector{State::lost});
    EXPECT_TRUE(book.contact(agent, {.sequence = 2}));
    EXPECT_EQ(sweep_states(), std::vector{State::online});
}

TEST_F(PresenceTest, an_open_poll_keeps_an_agent_online) {
    const auto agent = enroll();
    book.contact(agent, {.sequence = 1});
    for (int i = 0; i < 600; ++i) {
        clock.advance(1s);
        book.touch_open([&](const AgentId& id) { return id == agent; });
    }
    EXPECT_EQ(book.state_of(agent), State::online);
}

TEST_F(PresenceTest, an_unchanged_agent_is_written_once_in_five_minutes) {
    const auto agent = enroll();
    book.contact(agent, {.sequence = 1});
    EXPECT_EQ(book.sweep().size(), 1U);
    std::size_t writes = 0;
    for (int i = 2; i < 62; ++i) {
        clock.advance(55s);
        book.contact(agent, {.sequence = i});
        writes += book.sweep().size();
    }
    EXPECT_GE(writes, 9U);
    EXPECT_LE(writes, 11U);
}

TEST_F(PresenceTest, a_new_version_is_written_at_once) {
    const auto agent = enroll();
    book.contact(agent, {.sequence = 1, .version = "0.1.0"});
    book.sweep();
    EXPECT_FALSE(book.contact(agent, {.sequence = 2, .version = "0.2.0"}));
    const auto changes = book.sweep();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].sighting.version, "0.2.0");
    EXPECT_EQ(changes[0].sighting.last_sequence, 2);
}

TEST_F(PresenceTest, a_pause_is_written_when_it_changes_and_only_then) {
    const auto agent = enroll();
    auto written = [&, sequence = 0](const std::optional<Pause>& pause) mutable {
        book.contact(agent, {.sequence = ++sequence, .pause = pause});
        const auto changes = book.sweep();
        for (const auto& change : changes) EXPECT_EQ(change.sighting.pause, pause);
        book.keep(changes);
        return changes.size();
    };
    written(std::nullopt);
    Pause pause{clock.now(), std::nullopt, "disk swap"};
    EXPECT_EQ(written(pause), 1U);
    EXPECT_EQ(written(pause), 0U);
    pause.reason = "disk swapped";
    EXPECT_EQ(written(pause), 1U);
    pause.until = clock.now();
    EXPECT_EQ(written(pause), 1U);
    EXPECT_EQ(written(std::nullopt), 1U);
    EXPECT_EQ(written(std::nullopt), 0U);
}

TEST_F(PresenceTest, a_goodbye_is_offline_at_once_and_a_reboot_is_rebooting_for_a_while) {
    const auto stopping = enroll();
    const auto rebooting = enroll();
    book.contact(stopping, {.sequence = 1});
    book.contact(rebooting, {.sequence = 1});
    book.sweep();
    book.contact(stopping, {.sequence = 2, .goodbye = "stopping"});
    book.contact(rebooting, {.sequence = 2, .goodbye = "rebooting"});
    EXPECT_EQ(book.state_of(stopping), State::offline);
    EXPECT_EQ(book.state_of(rebooting), State::rebooting);
    book.touch(stopping);
    EXPECT_EQ(book.state_of(stopping), State::offline);
    clock.advance(kRebootMax + 1s);
    EXPECT_EQ(book.state_of(rebooting), State::offline);
}

TEST_F(PresenceTest, after_a_start_nothing_is_shown_online_and_no_offline_storm_comes) {
    auto row = agent_row(State::online);
    row.last_seen_at = clock.now() - 10s;
    PresenceBook fresh{clock};
    fresh.load({row});
    const auto first = fresh.sweep();
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first[0].sighting.state, State::unknown);
    clock.advance(kStartGrace);
    EXPECT_TRUE(fresh.sweep().empty());
    clock.advance(kOfflineAfter - kStartGrace + 1s);
    const auto later = fresh.sweep();
    ASSERT_EQ(later.size(), 1U);
    EXPECT_EQ(later[0].sighting.state, State::offline);
}

TEST_F(PresenceTest, what_could_not_be_written_is_written_later) {
    const auto agent = enroll();
    book.contact(agent, {.sequence = 1});
    const auto changes = book.sweep();
    book.put_back(changes);
    const auto again = book.sweep();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].sighting.state, State::online);
    EXPECT_TRUE(book.sweep().empty());
}

TEST_F(PresenceTest, an_agent_that_was_removed_is_not_known) {
    const auto agent = enroll();
    book.remove(agent);
    EXPECT_FALSE(book.contact(agent, {.sequence = 1}));
    EXPECT_TRUE(book.sweep().empty());
    EXPECT_EQ(book.state_of(agent), State::unknown);
}

TEST_F(PresenceTest, a_wall_clock_that_jumps_makes_nobody_late) {
    const auto agent = enroll();
    book.contact(agent, {.sequence = 1});
    clock.jump(48h);
    EXPECT_EQ(book.state_of(agent), State::online);
    clock.jump(-96h);
    EXPECT_EQ(book.state_of(agent), State::online);
}

}  // namespace
}  // namespace synapsex::agent_registry
