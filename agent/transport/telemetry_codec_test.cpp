#include "agent/transport/telemetry_codec.hpp"

#include <gtest/gtest.h>

namespace synapsex::agent {
namespace {

// Every member another value, so that no two can be mixed up.
telemetry::TelemetrySample distinct_sample() {
    return {
        .slot = 1,
        .load1_centi = 2,
        .load5_centi = 3,
        .load15_centi = 4,
        .cpu_busy_permille = 5,
        .cpu_iowait_permille = 6,
        .cpu_steal_permille = 7,
        .memory_total_bytes = 8,
        .memory_available_bytes = 9,
        .swap_total_bytes = 10,
        .swap_used_bytes = 11,
        .disk_read_bytes_per_second = 12,
        .disk_write_bytes_per_second = 13,
        .network_receive_bytes_per_second = 14,
        .network_transmit_bytes_per_second = 15,
        .filesystem_used_permille_max = 16,
        .processes = 17,
        .uptime_seconds = 18};
}

TEST(TelemetryCodec, numbers_each_field_as_the_protocol_does) {
    // Field n has the value n: a key byte (n << 3, from 16 on two of them) and the value.
    std::string expected;
    for (int field = 1; field <= 18; ++field) {
        const int key = field << 3;
        if (key >= 128) expected += static_cast<char>((key & 0x7F) | 0x80);
        expected += static_cast<char>(key >= 128 ? key >> 7 : key);
        expected += static_cast<char>(field);
    }
    const auto encoded = encode_sample(distinct_sample());
    EXPECT_EQ(encoded.slot, 1);
    EXPECT_EQ(encoded.bytes, expected);
}

TEST(TelemetryCodec, sample_comes_back_as_it_was) {
    EXPECT_EQ(decode_sample(encode_sample(distinct_sample()).bytes), distinct_sample());
    auto extreme = distinct_sample();
    extreme.slot = -5;
    extreme.memory_total_bytes = ~0ULL;
    extreme.processes = ~0U;
    EXPECT_EQ(decode_sample(encode_sample(extreme).bytes), extreme);
    EXPECT_EQ(decode_sample(""), telemetry::TelemetrySample{});
}

TEST(TelemetryCodec, damaged_bytes_are_no_sample) {
    EXPECT_EQ(decode_sample("\x08"), std::nullopt);
    EXPECT_EQ(decode_sample("\xFF\xFF\xFF"), std::nullopt);
}

}  // namespace
}  // namespace synapsex::agent
