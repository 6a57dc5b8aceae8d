#include "controlplane/platform/disk/disk_watch.hpp"

#include <algorithm>

#include "shared/base/describe.hpp"
#include "shared/base/log.hpp"

namespace synapsex {

using db::Room;

namespace {

std::string_view meaning_of(Room room) {
    switch (room) {
        case Room::plenty:
            return "everything is stored again";
        case Room::low:
            return "telemetry waits at the agents";
        case Room::critical:
            return "telemetry waits at the agents, events are left out, the reserve is let go";
    }
    return {};
}

}  // namespace

Room room_of(const Space& space, Room before, const DiskLimits& limits) {
    const auto counted = std::min(space.total_bytes, limits.counted_bytes_max);
    const auto is_below = [&](std::uint64_t percent) {
        return space.free_bytes < counted / 100 * percent;
    };
    const bool was_critical = before == Room::critical;
    const bool was_low = before != Room::plenty;
    if (is_below(was_critical ? limits.critical_ends_percent : limits.critical_percent))
        return Room::critical;
    if (is_below(was_low ? limits.low_ends_percent : limits.low_percent)) return Room::low;
    return Room::plenty;
}

DiskWatch::DiskWatch(const Parts& parts)
    : parts_(parts), reserve_(parts.file.string() + ".reserve") {
    parts.metrics.gauge(
        "synapsex_disk_free_bytes", "Free on the disk of the database, without the reserve.",
        [levels = levels_] { return levels->free_bytes.load(); }, {{"database", parts.name}}
    );
    parts.metrics.gauge(
        "synapsex_disk_level", "Room on the disk of the database: 0 plenty, 1 low, 2 critical.",
        [levels = levels_] { return levels->room.load(); }, {{"database", parts.name}}
    );
}

Result<Done> DiskWatch::look() {
    auto space = parts_.disk.measure(parts_.file.parent_path());
    if (!space)
        return Problem{
            Kind::unavailable, "disk.unmeasured", "The system does not tell how full the disk is."
        };
    const auto& limits = parts_.limits;
    const auto reserve =
        std::min(limits.reserve_bytes_max, space->total_bytes / 100 * limits.reserve_percent);
    const auto missing = reserve - std::min(reserve, reserve_.held_bytes());
    space->free_bytes -= std::min(missing, space->free_bytes);

    const auto before = parts_.database.room();
    const auto now = room_of(*space, before, limits);
    if (now == Room::critical)
        reserve_.release();
    else
        reserve_.hold(reserve);
    parts_.database.set_room(now);
    levels_->free_bytes = static_cast<double>(space->free_bytes);
    levels_->room = static_cast<double>(now);
    if (now != before) note_change(before, now, *space);
    return Done{};
}

void DiskWatch::note_change(Room before, Room now, const Space& space) const {
    const auto level = now > before ? LogLevel::error : LogLevel::warning;
    log(level, "room on the disk changed", {{"database", parts_.name},
                                            {"from", enum_name(before)},
                                            {"to", enum_name(now)},
                                            {"freeBytes", space.free_bytes},
                                            {"totalBytes", space.total_bytes},
                                            {"meaning", meaning_of(now)}});
}

}  // namespace synapsex
