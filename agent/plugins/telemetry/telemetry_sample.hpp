#pragma once

// What one wall-clock slot of 15 s looked like. The members mirror TelemetrySample of
// shared/proto/agent/v1/agent.proto; agent/transport/telemetry_codec.hpp maps one to the other.

#include <cstdint>

namespace synapsex::telemetry {

struct TelemetrySample {
    std::int64_t slot = 0;
    // As of the end of the slot.
    std::uint32_t load1_centi = 0;
    std::uint32_t load5_centi = 0;
    std::uint32_t load15_centi = 0;
    // Means over the slot.
    std::uint32_t cpu_busy_permille = 0;  // without iowait and steal, which follow
    std::uint32_t cpu_iowait_permille = 0;
    std::uint32_t cpu_steal_permille = 0;
    // As of the end of the slot.
    std::uint64_t memory_total_bytes = 0;
    std::uint64_t memory_available_bytes = 0;
    std::uint64_t swap_total_bytes = 0;
    std::uint64_t swap_used_bytes = 0;
    // Means over the slot.
    std::uint64_t disk_read_bytes_per_second = 0;
    std::uint64_t disk_write_bytes_per_second = 0;
    std::uint64_t network_receive_bytes_per_second = 0;
    std::uint64_t network_transmit_bytes_per_second = 0;
    // As of the end of the slot.
    std::uint32_t filesystem_used_permille_max = 0;
    std::uint32_t processes = 0;
    std::uint64_t uptime_seconds = 0;

    friend bool operator==(const TelemetrySample&, const TelemetrySample&) = default;
};

}  // namespace synapsex::telemetry
