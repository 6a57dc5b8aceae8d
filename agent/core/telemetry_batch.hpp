#pragma once

// How much telemetry goes into one heartbeat. The server bounds the body; when it refuses one, the
// next is half as large, so that a single sample it cannot take never silences the agent: down from
// one sample, telemetry pauses and the heartbeats go on without.

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "shared/base/time.hpp"

namespace synapsex::agent {

class TelemetryBatch {
 public:
    static constexpr std::size_t kSamplesMax = 400;
    static constexpr std::size_t kBytesMax = 60 * 1024;
    static constexpr std::chrono::minutes kPause{10};

    explicit TelemetryBatch(const Clock& clock) : clock_(clock) {}

    std::size_t samples_max() const {
        return clock_.steady_now() < paused_until_ ? 0 : samples_max_;
    }
    void on_taken() { samples_max_ = std::min(samples_max_ * 2, kSamplesMax); }
    void on_refused() {
        if (samples_max_ == 1) paused_until_ = clock_.steady_now() + kPause;
        samples_max_ = std::max<std::size_t>(samples_max_ / 2, 1);
    }

 private:
    const Clock& clock_;
    std::size_t samples_max_ = kSamplesMax;
    SteadyTime paused_until_{};
};

}  // namespace synapsex::agent
