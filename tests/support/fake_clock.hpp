#pragma once

// A clock that stands still until a test advances it. Any thread: the database's writer reads it
// while the test sets it.

#include <atomic>

#include "shared/base/time.hpp"

namespace synapsex::testing {

class FakeClock final : public Clock {
 public:
    Timestamp now() const override { return now_.load(); }
    SteadyTime steady_now() const override { return steady_.load(); }

    void advance(std::chrono::microseconds by) {
        now_ = now_.load() + by;
        steady_ = steady_.load() + by;
    }
    // The wall clock alone jumps, as when someone sets it.
    void jump(std::chrono::microseconds by) { now_ = now_.load() + by; }

 private:
    std::atomic<Timestamp> now_ = *parse_rfc3339("2026-01-02T03:04:05Z");
    std::atomic<SteadyTime> steady_{SteadyTime{std::chrono::hours{1}}};
};

}  // namespace synapsex::testing
