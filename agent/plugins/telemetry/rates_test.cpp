#include "agent/plugins/telemetry/rates.hpp"

#include <gtest/gtest.h>

namespace synapsex::telemetry {
namespace {

using namespace std::chrono_literals;
using platform::CpuTimes;
using platform::Reading;

TelemetrySample sample_of(const CpuTimes& before, const CpuTimes& after) {
    Reading first;
    Reading second;
    first.cpu = before;
    second.cpu = after;
    return make_sample(first, second, 15s);
}

TEST(Rates, bytes_are_means_over_the_span) {
    EXPECT_EQ(byte_rates({{"vda", 1000, 0}}, {{"vda", 16'000, 300}}, 15s), (ByteRates{1000, 20}));
    EXPECT_EQ(byte_rates({{"vda", 0, 0}}, {{"vda", 1, 2}}, 3s), (ByteRates{0, 1})) << "rounded";
    EXPECT_EQ(byte_rates({{"vda", 0, 0}}, {{"vda", 1000, 0}}, 500ms), (ByteRates{2000, 0}));
}

TEST(Rates, devices_add_up_each_by_its_name) {
    EXPECT_EQ(
        byte_rates({{"sda", 100, 0}, {"sdb", 200, 0}}, {{"sdb", 210, 5}, {"sda", 120, 5}}, 1s),
        (ByteRates{30, 10})
    );
}

TEST(Rates, counter_that_went_back_is_a_rate_of_zero_and_spoils_no_other) {
    EXPECT_EQ(
        byte_rates({{"eth0", 5000, 10}, {"eth1", 0, 0}}, {{"eth0", 3, 20}, {"eth1", 7, 0}}, 1s),
        (ByteRates{7, 10})
    );
}

TEST(Rates, device_that_comes_or_goes_brings_no_past_with_it) {
    EXPECT_EQ(byte_rates({}, {{"eth0", 10'000'000'000, 1}}, 1s), (ByteRates{0, 0}));
    EXPECT_EQ(byte_rates({{"eth0", 10'000'000'000, 1}}, {}, 1s), (ByteRates{0, 0}));
}

TEST(Rates, huge_values_do_not_overflow) {
    const auto huge =
        byte_rates({{"a", 0, 0}, {"b", 0, 0}}, {{"a", ~0ULL, 0}, {"b", ~0ULL, 0}}, 1us);
    EXPECT_GT(huge.in_bytes_per_second, 9'000'000'000'000'000'000U);
    EXPECT_LT(huge.in_bytes_per_second, 1ULL << 63);
}

TEST(Rates, cpu_shares_are_of_all_time) {
    const auto sample = sample_of({0, 0, 0, 0}, {300, 100, 50, 550});
    EXPECT_EQ(sample.cpu_busy_permille, 300U);
    EXPECT_EQ(sample.cpu_iowait_permille, 100U);
    EXPECT_EQ(sample.cpu_steal_permille, 50U);
}

TEST(Rates, iowait_that_went_back_is_zero) {
    const auto sample = sample_of({100, 500, 0, 1000}, {200, 400, 0, 1100});
    EXPECT_EQ(sample.cpu_busy_permille, 500U);
    EXPECT_EQ(sample.cpu_iowait_permille, 0U);
}

TEST(Rates, no_time_or_no_reading_is_no_share) {
    EXPECT_EQ(sample_of({1, 1, 1, 1}, {1, 1, 1, 1}).cpu_busy_permille, 0U);
    EXPECT_EQ(sample_of({9, 9, 9, 9}, {1, 1, 1, 1}).cpu_busy_permille, 0U);
    Reading with_cpu;
    with_cpu.cpu = CpuTimes{100, 0, 0, 0};
    EXPECT_EQ(make_sample(Reading{}, with_cpu, 15s).cpu_busy_permille, 0U);
    EXPECT_EQ(make_sample(with_cpu, Reading{}, 15s).cpu_busy_permille, 0U);
}

TEST(Rates, everything_else_is_as_of_the_later_reading) {
    Reading after;
    after.load1_centi = 1;
    after.load5_centi = 2;
    after.load15_centi = 3;
    after.memory_total_bytes = 4;
    after.memory_available_bytes = 5;
    after.swap_total_bytes = 6;
    after.swap_used_bytes = 7;
    after.filesystem_used_permille_max = 8;
    after.processes = 9;
    after.uptime_seconds = 10;
    TelemetrySample expected;
    expected.load1_centi = 1;
    expected.load5_centi = 2;
    expected.load15_centi = 3;
    expected.memory_total_bytes = 4;
    expected.memory_available_bytes = 5;
    expected.swap_total_bytes = 6;
    expected.swap_used_bytes = 7;
    expected.filesystem_used_permille_max = 8;
    expected.processes = 9;
    expected.uptime_seconds = 10;
    EXPECT_EQ(make_sample(Reading{}, after, 15s), expected);
}

}  // namespace
}  // namespace synapsex::telemetry
