#pragma once

// The host's own decision that no work runs on this VM for a while: made and ended by its local
// administrator (root or the agent's user), shown to the control plane, which cannot end it. It
// lives in a file of the data directory, so it outlasts restarts and reboots. Whoever starts work
// asks may_work_start() first. Presence and telemetry are no work.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent {

inline constexpr const char* kPauseFile = "pause";  // in the data directory
inline constexpr std::size_t kPauseReasonBytesMax = 200;
inline constexpr std::chrono::seconds kPauseMax = std::chrono::hours{24} * 366;

// When it is, in the ways that this can be told after a clock was set.
struct Moment {
    Timestamp now{};                // may be wrong, and may jump
    std::string boot_id{};          // of this boot
    std::chrono::seconds uptime{};  // of the kernel; goes on while the machine sleeps
};
Moment this_moment(const Clock& clock);

struct Pause {
    Moment since{};
    std::optional<std::chrono::seconds> length{};  // nullopt: until somebody ends it
    std::string reason{};

    // By the clock at its begin.
    std::optional<Timestamp> until() const;
    // In the boot in which it began the clock does not count at all; after a reboot nothing else
    // does (in a container the uptime is the machine's). One that stands in the past makes a pause
    // longer, which harms less than work that starts too early.
    bool is_over(const Moment& moment) const;

    friend bool operator==(const Pause& left, const Pause& right) {
        return left.since.now == right.since.now && left.length == right.length &&
               left.reason == right.reason;
    }
};

std::string write_pause(const Pause& pause);
// nullopt: not what write_pause wrote.
std::optional<Pause> read_pause(std::string_view text);

// One line of valid UTF-8 without control characters, at most kPauseReasonBytesMax; may be empty.
bool is_pause_reason(std::string_view text);

// The pause in force at this moment; nullopt if there is none. A file that makes no sense is one
// without an end: work that a person has stopped does not start on a guess. Fails with
// agent.file_failed.
Result<std::optional<Pause>> find_pause(
    const std::filesystem::path& data_dir, const Moment& moment
);

// What everything that starts work asks before it does. False also if that cannot be told.
bool may_work_start(const std::filesystem::path& data_dir, const Moment& moment);

}  // namespace synapsex::agent
