#pragma once

// How much telemetry goes into one heartbeat. The server bounds the body; when it refuses one, the
// next is half as large. Down from a single sample the next heartbeat carries none: if that one is
// taken, the sample was to blame and is given up; if not, the sample is kept and telemetry pauses.
// A server that cannot store now (503) still gets the heartbeats: the next one without telemetry,
// and then a little later one with it again. So neither a sample nor a full disk over there
// silences the agent.

#include <chrono>
#include <cstddef>

#include "agent/core/waits.hpp"

namespace synapsex::agent {

class TelemetryBatch {
 public:
    static constexpr std::size_t kSamplesMax = 400;
    static constexpr std::size_t kBytesMax = 60 * 1024;
    static constexpr std::chrono::minutes kPause{10};
    static constexpr std::chrono::seconds kStorageBackoffBase{5};
    static constexpr std::chrono::seconds kStorageBackoffCap{60};

    TelemetryBatch(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

    std::size_t samples_max() const;

    // What became of a heartbeat that carried so many samples.
    void on_taken(std::size_t samples);
    void on_refused(std::size_t samples);
    void on_not_stored();  // 503

    // Whether the single sample that was refused is to be given up. Says so once.
    bool take_verdict();

 private:
    enum class Suspicion { none, suspected, confirmed };

    const Clock& clock_;
    Random& random_;
    Backoff storage_backoff_{kStorageBackoffBase, kStorageBackoffCap};
    std::size_t samples_max_ = kSamplesMax;
    Suspicion suspicion_ = Suspicion::none;
    bool is_storage_full_ = false;  // as far as is known: no heartbeat was answered since
    SteadyTime paused_until_{};
};

}  // namespace synapsex::agent
