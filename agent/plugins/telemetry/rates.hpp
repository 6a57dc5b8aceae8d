#pragma once

// From two readings to one sample. A counter that went back (a device that was replaced, a driver
// loaded again, a counter of 32 bits that wrapped) has the rate 0 for that time, and so has a
// device that is in one of the readings only: a rate is never negative and never includes a
// device's past.

#include <chrono>

#include "agent/platform/system_facts.hpp"
#include "agent/plugins/telemetry/telemetry_sample.hpp"

namespace synapsex::telemetry {

struct ByteRates {
    std::uint64_t in_bytes_per_second = 0;
    std::uint64_t out_bytes_per_second = 0;

    friend bool operator==(const ByteRates&, const ByteRates&) = default;
};

// Of all devices together. `span` is positive.
ByteRates byte_rates(
    const std::vector<platform::DeviceCounters>& before,
    const std::vector<platform::DeviceCounters>& after,
    std::chrono::microseconds span
);

// Everything but the slot's number: means between the readings, the rest as of `after`.
TelemetrySample make_sample(
    const platform::Reading& before, const platform::Reading& after, std::chrono::microseconds span
);

}  // namespace synapsex::telemetry
