#include "agent/plugins/telemetry/telemetry_sampler.hpp"

#include <algorithm>
#include <utility>

#include "agent/core/messages.hpp"
#include "agent/plugins/telemetry/rates.hpp"

namespace synapsex::telemetry {

bool SampledSlots::contains(std::int64_t slot) const {
    return std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) {
        return run.first <= slot && slot <= run.last;
    });
}

void SampledSlots::add(std::int64_t slot) {
    auto next = std::find_if(runs_.begin(), runs_.end(), [&](const Run& run) {
        return slot <= run.last;
    });
    const bool joins_previous = next != runs_.begin() && std::prev(next)->last == slot - 1;
    const bool joins_next = next != runs_.end() && next->first == slot + 1;
    if (joins_previous && joins_next) {
        std::prev(next)->last = next->last;
        runs_.erase(next);
    } else if (joins_previous) {
        std::prev(next)->last = slot;
    } else if (joins_next) {
        next->first = slot;
    } else {
        runs_.insert(next, {slot, slot});
    }
    if (runs_.size() > kRunsMax) runs_.erase(runs_.begin());
}

bool TelemetrySampler::is_due(Timestamp wall) const {
    return !opening_ || agent::slot_of(wall) != opening_->slot;
}

bool TelemetrySampler::ends_whole_slot(const Moment& moment) const {
    if (!opening_ || agent::slot_of(moment.wall) != opening_->slot + 1) return false;
    const auto span = moment.steady - opening_->moment.steady;
    return span >= kSpanMin && span <= kSpanMax && !sampled_.contains(opening_->slot);
}

std::optional<TelemetrySample> TelemetrySampler::observe(
    const Moment& moment, platform::Reading reading
) {
    if (!is_due(moment.wall)) return std::nullopt;
    std::optional<TelemetrySample> sample;
    if (ends_whole_slot(moment)) {
        const auto span = std::chrono::duration_cast<std::chrono::microseconds>(
            moment.steady - opening_->moment.steady
        );
        sample = make_sample(opening_->reading, reading, span);
        sample->slot = opening_->slot;
        sampled_.add(opening_->slot);
    }
    opening_ = Opening{moment, agent::slot_of(moment.wall), std::move(reading)};
    return sample;
}

std::optional<TelemetrySample> sample_if_due(
    TelemetrySampler& sampler, platform::SystemFacts& facts, const Clock& clock
) {
    const Moment moment{clock.now(), clock.steady_now()};
    if (!sampler.is_due(moment.wall)) return std::nullopt;
    return sampler.observe(moment, facts.take_reading());
}

}  // namespace synapsex::telemetry
