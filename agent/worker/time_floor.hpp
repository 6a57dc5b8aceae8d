#pragma once

// The latest time that is known to have been, over restarts too: certificates of the control plane
// are never held to an earlier one. A clock that falls back to 1970 brings nothing back that has
// expired, and a VM without a battery for its clock still sees that a certificate is in its time.
//
// It rises only where two clocks agree, this machine's and a verified control plane's: one that is
// ahead by years would make every later certificate look expired.

#include <atomic>
#include <filesystem>

#include "shared/base/time.hpp"

namespace synapsex::agent {

inline constexpr const char* kTimeFloorFile = "time.floor";  // in the data directory

class TimeFloor {
 public:
    TimeFloor() = default;  // none, and no file; for who does not raise it
    // What is in the file, or nothing if it cannot be read.
    explicit TimeFloor(std::filesystem::path path);

    // The time to hold certificates to while the clock says `now`. Any thread.
    Timestamp at_least(Timestamp now) const;
    // Writes the file, at most once an hour; a failure is logged. One thread.
    void raise(Timestamp agreed);

 private:
    const std::filesystem::path path_;
    std::atomic<std::int64_t> floor_micros_ = 0;
};

}  // namespace synapsex::agent
