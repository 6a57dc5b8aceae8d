#pragma once

// The time that the control plane's certificates are held to: this machine's clock, or the present
// that the control plane has proved (crypto/time_proof.hpp), and never an earlier one than the time
// floor. Sets no clock, and writes nothing down: after a restart the present is proved again.

#include <optional>

#include "agent/worker/time_floor.hpp"
#include "shared/net/pinned_authorities.hpp"

namespace synapsex::agent {

class CertificateClock {
 public:
    // Both outlive it.
    CertificateClock(const TimeFloor& floor, const Clock& clock) : floor_(floor), clock_(clock) {}

    // An instant by both of this machine's clocks.
    struct Moment {
        Timestamp wall{};
        SteadyTime steady{};
    };
    Moment moment() const { return {clock_.now(), clock_.steady_now()}; }

    // The control plane says that it was `time` when, or after, it was `asked` here. It counts for
    // kProofLife, and while both clocks of this machine go on alike: one that was set since, or a
    // VM that was put to sleep, makes another proof necessary.
    void on_proven(Timestamp time, Moment asked) { proof_ = {time, asked}; }

    // For a handshake that is under way. One thread, as all else here.
    net::HeldTime now();
    // Whether the last one was held to a proof.
    bool was_proof_used() const { return was_proof_used_; }
    // Whether it was held to the floor, which is later than clock or proof.
    bool was_floor_used() const { return was_floor_used_; }

    static constexpr std::chrono::minutes kProofLife{10};

 private:
    struct Proof {
        Timestamp time{};
        Moment asked{};
    };
    std::optional<Timestamp> proven_now() const;

    const TimeFloor& floor_;
    const Clock& clock_;
    std::optional<Proof> proof_;
    bool was_proof_used_ = false;
    bool was_floor_used_ = false;
};

}  // namespace synapsex::agent
