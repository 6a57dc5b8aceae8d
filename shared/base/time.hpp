#pragma once

// Instants, the injected clock and deadlines. Nothing but the SystemClock reads the machine's
// clocks (architecture test), so every rule about time runs under a FakeClock.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace synapsex {

// Microseconds since 1970-01-01 UTC: what databases and messages carry.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// For durations and deadlines: never jumps, means nothing outside this process.
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
    virtual ~Clock() = default;
    virtual Timestamp now() const = 0;
    virtual SteadyTime steady_now() const = 0;
};

class SystemClock final : public Clock {
 public:
    Timestamp now() const override;
    SteadyTime steady_now() const override;
};

// The moment by which a request has to be answered. Passed inward: an inner call never outlives
// the outer one.
class Deadline {
 public:
    static Deadline never() { return Deadline{SteadyTime::max()}; }
    static Deadline at(SteadyTime instant) { return Deadline{instant}; }
    static Deadline after(const Clock& clock, std::chrono::nanoseconds budget) {
        return Deadline{clock.steady_now() + budget};
    }

    bool is_expired(const Clock& clock) const { return clock.steady_now() >= instant_; }
    // Zero once expired.
    std::chrono::nanoseconds remaining(const Clock& clock) const;
    SteadyTime instant() const { return instant_; }
    Deadline earlier(Deadline other) const { return instant_ < other.instant_ ? *this : other; }

 private:
    explicit Deadline(SteadyTime instant) : instant_(instant) {}
    SteadyTime instant_;
};

// The instants that RFC 3339 has a form for: years 1 to 9999.
inline constexpr Timestamp kInstantMin{
    std::chrono::sys_days{std::chrono::year{1} / 1 / 1}.time_since_epoch()
};
inline constexpr Timestamp kInstantMax{
    std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1}.time_since_epoch() -
    std::chrono::microseconds{1}
};

// RFC 3339 in UTC with `Z`; the fraction is left out when zero, else 6 digits. What is outside
// kInstantMin and kInstantMax is written as the nearer of them.
std::string format_rfc3339(Timestamp instant);
// Accepts any RFC 3339 offset; nullopt for anything else (also leap second 60, years off 1..9999).
std::optional<Timestamp> parse_rfc3339(std::string_view text);

std::int64_t to_micros(Timestamp instant);
Timestamp from_micros(std::int64_t micros);

}  // namespace synapsex
