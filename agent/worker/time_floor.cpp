#include "agent/worker/time_floor.hpp"

#include <algorithm>

#include "agent/worker/files.hpp"
#include "shared/base/log.hpp"

namespace synapsex::agent {

namespace {
constexpr std::chrono::hours kWriteEvery{1};
constexpr std::size_t kBytesMax = 64;
}  // namespace

TimeFloor::TimeFloor(std::filesystem::path path) : path_(std::move(path)) {
    const auto text = find_own_file(path_, kBytesMax);
    if (!text || !*text) return;
    const auto line = std::string_view{**text}.substr(0, (*text)->find('\n'));
    if (const auto floor = parse_rfc3339(line)) floor_micros_ = to_micros(*floor);
}

Timestamp TimeFloor::at_least(Timestamp now) const {
    return std::max(now, from_micros(floor_micros_));
}

void TimeFloor::raise(Timestamp agreed) {
    if (agreed < from_micros(floor_micros_) + kWriteEvery) return;
    floor_micros_ = to_micros(agreed);
    const auto written =
        write_file_atomically(path_, format_rfc3339(agreed) + "\n", FileDurability::cached);
    if (!written)
        log_warning("the time that certificates are held to is not stored; it will be again",
                    {{"detail", written.error().detail}});
}

}  // namespace synapsex::agent
