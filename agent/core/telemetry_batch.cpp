#include "agent/core/telemetry_batch.hpp"

#include <algorithm>
#include <utility>

namespace synapsex::agent {

std::size_t TelemetryBatch::samples_max() const {
    const bool is_paused = clock_.steady_now() < paused_until_;
    const bool is_probing = is_storage_full_ || suspicion_ != Suspicion::none;
    return is_paused || is_probing ? 0 : samples_max_;
}

void TelemetryBatch::on_taken(std::size_t samples) {
    is_storage_full_ = false;
    if (samples == 0) {
        if (suspicion_ == Suspicion::suspected) suspicion_ = Suspicion::confirmed;
        return;
    }
    samples_max_ = std::min(samples_max_ * 2, kSamplesMax);
    storage_backoff_.reset();
}

void TelemetryBatch::on_refused(std::size_t samples) {
    if (samples == 0) {
        // Refused with nothing in it: whatever is wrong, it is not the sample.
        if (suspicion_ == Suspicion::suspected) paused_until_ = clock_.steady_now() + kPause;
        suspicion_ = Suspicion::none;
        return;
    }
    if (samples == 1) suspicion_ = Suspicion::suspected;
    samples_max_ = std::max<std::size_t>(std::min(samples, samples_max_) / 2, 1);
}

void TelemetryBatch::on_not_stored() {
    is_storage_full_ = true;
    paused_until_ = clock_.steady_now() + storage_backoff_.next(random_);
}

bool TelemetryBatch::take_verdict() {
    if (suspicion_ != Suspicion::confirmed) return false;
    suspicion_ = Suspicion::none;
    return true;
}

}  // namespace synapsex::agent
