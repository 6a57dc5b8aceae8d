#pragma once

// Takes a telemetry sample at the end of every slot and spools it. Slots follow the wall clock, so
// that the samples of a fleet lie side by side. The spool keeps nobody waiting, so no slow disk
// costs a slot.

#include "agent/core/messages.hpp"
#include "agent/spool/spool.hpp"
#include "agent/worker/ports.hpp"
#include "agent/worker/stop_signal.hpp"

namespace synapsex::agent {

class Sampler {
 public:
    Sampler(TelemetrySource& source, Spool& spool, const Clock& clock, const StopSignal& stop)
        : source_(source), spool_(spool), clock_(clock), stop_(stop) {}

    // Until the stop.
    void run();

 private:
    void take_sample();
    std::chrono::nanoseconds until_slot_end() const;

    TelemetrySource& source_;
    Spool& spool_;
    const Clock& clock_;
    const StopSignal& stop_;
};

}  // namespace synapsex::agent
