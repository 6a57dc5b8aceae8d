#pragma once

// When a child process that has ended is started again: soon after a long life, ever later while it
// keeps dying young, never if it said that starting again is pointless.

#include <chrono>
#include <optional>

#include "shared/base/backoff.hpp"
#include "shared/base/time.hpp"

namespace synapsex::executor {

// EX_CONFIG of sysexits.h: a person has to change something first. The systemd unit knows the same
// number (RestartPreventExitStatus).
inline constexpr int kExitForPerson = 78;
// The machine or the moment is at fault; whoever supervises starts us again.
inline constexpr int kExitForMachine = 1;

class RestartPolicy {
 public:
    explicit RestartPolicy(Random& random) : random_(random) {}

    void on_started(SteadyTime now) { started_at_ = now; }
    // How long to wait; nullopt: do not start it again. `exit_code` is -1 after a signal.
    std::optional<std::chrono::milliseconds> on_ended(SteadyTime now, int exit_code) {
        if (exit_code == kExitForPerson) return std::nullopt;
        if (now - started_at_ >= kLongLife) backoff_.reset();
        return backoff_.next(random_);
    }

 private:
    static constexpr std::chrono::seconds kLongLife{60};

    Random& random_;
    Backoff backoff_{std::chrono::milliseconds{500}, std::chrono::minutes{1}};
    SteadyTime started_at_{};
};

}  // namespace synapsex::executor
