#pragma once

// Turns readings into one sample per wall-clock slot, and decides which slots get none. It reads
// nothing itself: the worker takes a reading just after each slot has begun (sample_if_due), and
// the reading ends one slot and opens the next.
//
// A slot gets a sample when the readings around it are those of two slots in succession, between
// kSpanMin and kSpanMax apart by the steady clock, over which the rates are means. So
//  - the agent's first slot counts if at least kSpanMin of it was seen;
//  - a machine that slept, or an agent that was starved, leaves a gap: no sample is made up for
//    time that nobody watched, and none spreads its traffic over it;
//  - a wall clock set forward leaves a gap as well;
//  - a wall clock set back comes through slots that were sampled before: those are left out, since
//    a slot is never sampled twice (the server would drop the second). Slots that are older than
//    any sampled so far, because the clock was wrong before, are sampled at once.
// What was sampled is remembered by this object only: after a restart of the agent with the clock
// set back, a slot may come twice, and whoever stores samples keeps the first.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "agent/platform/system_facts.hpp"
#include "agent/plugins/telemetry/telemetry_sample.hpp"
#include "shared/base/time.hpp"

namespace synapsex::telemetry {

// The slots that were sampled, as runs of successive ones. Of more than kRunsMax runs the oldest is
// forgotten.
class SampledSlots {
 public:
    static constexpr std::size_t kRunsMax = 64;

    bool contains(std::int64_t slot) const;
    // Not one that it contains.
    void add(std::int64_t slot);

 private:
    struct Run {
        std::int64_t first;
        std::int64_t last;
    };
    std::vector<Run> runs_;  // in order, apart from each other
};

struct Moment {
    Timestamp wall;
    SteadyTime steady;
};

class TelemetrySampler {
 public:
    static constexpr std::chrono::seconds kSpanMin{5};
    static constexpr std::chrono::seconds kSpanMax{30};

    // A reading at `wall` would begin a slot. False within the slot of the last reading.
    bool is_due(Timestamp wall) const;
    // The sample of the slot that this reading ends, if it gets one. Nothing unless is_due.
    std::optional<TelemetrySample> observe(const Moment& moment, platform::Reading reading);

 private:
    struct Opening {
        Moment moment;
        std::int64_t slot;
        platform::Reading reading;
    };
    bool ends_whole_slot(const Moment& moment) const;

    std::optional<Opening> opening_;
    SampledSlots sampled_;
};

// Takes a reading if one is due. To be called at each start of a slot; more often does no harm.
std::optional<TelemetrySample> sample_if_due(
    TelemetrySampler& sampler, platform::SystemFacts& facts, const Clock& clock
);

}  // namespace synapsex::telemetry
