#include "agent/plugins/telemetry/telemetry_sampler.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "agent/core/messages.hpp"
#include "agent/platform/fake_system_facts.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/seeded_random.hpp"

namespace synapsex::telemetry {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A worker that wakes at the times a test says, on a machine that reads 1000 bytes a second.
class TelemetrySamplerTest : public ::testing::Test {
 protected:
    TelemetrySamplerTest() {
        facts.reading.disks = {{"vda", 0, 0}};
        clock.advance(agent::start_of_slot(first_slot) - clock.now());
    }

    // The machine runs on.
    void run(std::chrono::milliseconds time) {
        clock.advance(time);
        facts.reading.disks[0].in_bytes += static_cast<std::uint64_t>(time.count());
    }
    void wake() {
        if (auto sample = sample_if_due(sampler, facts, clock)) {
            samples.push_back(*sample);
            slots.push_back(sample->slot - first_slot);
        }
    }
    void run_and_wake(std::chrono::milliseconds time) {
        run(time);
        wake();
    }

    testing::FakeClock clock;
    platform::FakeSystemFacts facts;
    TelemetrySampler sampler;
    std::int64_t first_slot = agent::slot_of(clock.now()) + 1;
    std::vector<TelemetrySample> samples;
    std::vector<std::int64_t> slots;  // counted from the slot in which the test began
};

TEST_F(TelemetrySamplerTest, first_reading_gives_nothing_and_each_later_slot_one) {
    wake();
    EXPECT_THAT(slots, IsEmpty());
    for (int i = 0; i < 4; ++i) run_and_wake(15s);
    ASSERT_THAT(slots, ElementsAre(0, 1, 2, 3));
    for (const auto& sample : samples) EXPECT_EQ(sample.disk_read_bytes_per_second, 1000U);
}

TEST_F(TelemetrySamplerTest, waking_more_often_changes_nothing) {
    wake();
    for (int i = 0; i < 45; ++i) run_and_wake(1s);
    ASSERT_THAT(slots, ElementsAre(0, 1, 2));
}

TEST_F(TelemetrySamplerTest, late_wake_up_still_gives_the_mean) {
    wake();
    run_and_wake(15s + 4s);
    run_and_wake(15s - 4s);
    ASSERT_THAT(slots, ElementsAre(0, 1));
    EXPECT_EQ(samples[0].disk_read_bytes_per_second, 1000U);
    EXPECT_EQ(samples[1].disk_read_bytes_per_second, 1000U);
}

TEST_F(TelemetrySamplerTest, first_slot_counts_only_if_enough_of_it_was_seen) {
    run(12s);
    wake();
    run_and_wake(3s);
    EXPECT_THAT(slots, IsEmpty());
    run_and_wake(15s);
    ASSERT_THAT(slots, ElementsAre(1));
}

TEST_F(TelemetrySamplerTest, part_of_the_first_slot_is_enough_from_five_seconds) {
    run(10s);
    wake();
    run_and_wake(5s);
    ASSERT_THAT(slots, ElementsAre(0));
    EXPECT_EQ(samples[0].disk_read_bytes_per_second, 1000U);
}

TEST_F(TelemetrySamplerTest, machine_that_slept_leaves_a_gap_without_invented_samples) {
    wake();
    run_and_wake(15s);
    clock.jump(2h);  // the steady clock and the counters stood still
    run_and_wake(15s);
    run_and_wake(15s);
    ASSERT_THAT(slots, ElementsAre(0, 2 * 240 + 2));
}

TEST_F(TelemetrySamplerTest, starved_agent_leaves_a_gap_and_spreads_nothing_over_it) {
    wake();
    run_and_wake(15s);
    run_and_wake(40s);
    run_and_wake(5s);
    ASSERT_THAT(slots, ElementsAre(0, 3)) << "slots 1 and 2 were not watched";
    EXPECT_EQ(samples[1].disk_read_bytes_per_second, 1000U);
}

TEST_F(TelemetrySamplerTest, clock_set_forward_leaves_a_gap_and_true_rates) {
    wake();
    run_and_wake(15s);
    clock.jump(1min);
    run_and_wake(15s);
    run_and_wake(15s);
    ASSERT_THAT(slots, ElementsAre(0, 6));
    EXPECT_EQ(samples[1].disk_read_bytes_per_second, 1000U);
}

TEST_F(TelemetrySamplerTest, clock_set_forward_into_the_next_slot_is_measured_by_the_steady_one) {
    wake();
    run(7s);
    clock.jump(8s);
    wake();
    ASSERT_THAT(slots, ElementsAre(0));
    EXPECT_EQ(samples[0].disk_read_bytes_per_second, 1000U);
}

TEST_F(TelemetrySamplerTest, clock_set_back_repeats_no_slot) {
    wake();
    for (int i = 0; i < 4; ++i) run_and_wake(15s);
    clock.jump(-30s);
    for (int i = 0; i < 4; ++i) run_and_wake(15s);
    ASSERT_THAT(slots, ElementsAre(0, 1, 2, 3, 4, 5));
    for (const auto& sample : samples) EXPECT_EQ(sample.disk_read_bytes_per_second, 1000U);
}

TEST_F(TelemetrySamplerTest, clock_set_back_between_readings_stretches_no_slot) {
    wake();
    run(45s);
    clock.jump(-30s);  // two slots in succession by the wall clock, 45 s apart in truth
    wake();
    EXPECT_THAT(slots, IsEmpty());
    run_and_wake(15s);
    ASSERT_THAT(slots, ElementsAre(1));
    EXPECT_EQ(samples[0].disk_read_bytes_per_second, 1000U);
}

TEST_F(TelemetrySamplerTest, clock_that_was_a_day_ahead_does_not_silence_the_day) {
    clock.jump(24h);
    wake();
    run_and_wake(15s);
    run_and_wake(15s);
    clock.jump(-24h);
    wake();
    run_and_wake(15s);
    run_and_wake(15s);
    ASSERT_THAT(slots, ElementsAre(5760, 5761, 2, 3));
}

TEST_F(TelemetrySamplerTest, any_clock_repeats_no_slot_and_invents_no_rate) {
    testing::SeededRandom random{7};
    for (int step = 0; step < 20'000; ++step) {
        run_and_wake(std::chrono::milliseconds{random.below(20'000)});
        if (random.below(50) == 0)
            clock.jump(std::chrono::seconds{static_cast<std::int64_t>(random.below(600)) - 300});
    }
    auto sorted = slots;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
    EXPECT_GT(sorted.size(), 1000U);
    for (const auto& sample : samples) ASSERT_EQ(sample.disk_read_bytes_per_second, 1000U);
}

TEST(SampledSlots, joins_runs_in_any_order_of_arrival) {
    SampledSlots sampled;
    for (const auto slot : {10, 12, 11, 9, 20, 14, 13}) {
        EXPECT_FALSE(sampled.contains(slot));
        sampled.add(slot);
    }
    for (const auto slot : {9, 10, 11, 12, 13, 14, 20}) EXPECT_TRUE(sampled.contains(slot)) << slot;
    for (const auto slot : {8, 15, 19, 21}) EXPECT_FALSE(sampled.contains(slot)) << slot;
}

TEST(SampledSlots, forgets_the_oldest_of_too_many_runs) {
    SampledSlots sampled;
    const auto count = static_cast<std::int64_t>(SampledSlots::kRunsMax) + 1;
    for (std::int64_t slot = 0; slot < count; ++slot) sampled.add(2 * slot);
    EXPECT_FALSE(sampled.contains(0));
    EXPECT_TRUE(sampled.contains(2));
    EXPECT_TRUE(sampled.contains(2 * (count - 1)));
}

}  // namespace
}  // namespace synapsex::telemetry
