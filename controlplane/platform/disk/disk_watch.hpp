#pragma once

// Looks how much room the disk of a SQLite database has, and tells the database (Database::room).
//
// plenty ─ below 5 % free ─▶ low ─ below 2 % ─▶ critical; back above 3 % and above 7 %, so that a
// level does not come and go with each write. At critical a reserve beside the database is let go:
// room for what is still written then. It is held again once the level is better. What the reserve
// takes counts as taken also while it is let go, so that letting it go is not taken for new room.

#include <atomic>
#include <memory>
#include <string>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/disk/disk_space.hpp"
#include "controlplane/platform/disk/reserve.hpp"
#include "controlplane/platform/metrics.hpp"

namespace synapsex {

struct DiskLimits {
    std::uint64_t low_percent = 5;
    std::uint64_t critical_percent = 2;
    std::uint64_t low_ends_percent = 7;
    std::uint64_t critical_ends_percent = 3;
    // A larger disk counts as one of this size: 5 GiB are room enough, however few percent.
    std::uint64_t counted_bytes_max = 100ULL * 1024 * 1024 * 1024;
    std::uint64_t reserve_bytes_max = 64 * 1024 * 1024;
    std::uint64_t reserve_percent = 1;  // of a small disk the reserve is not more than this
};

// What the level is, after it was `before`.
db::Room room_of(const Space& space, db::Room before, const DiskLimits& limits);

class DiskWatch {
 public:
    struct Parts {  // all outlive the watch
        DiskSpace& disk;
        db::Database& database;
        Metrics& metrics;
        std::filesystem::path file;  // of the database; <file>.reserve is the watch's
        std::string name;            // label of the database in metrics
        DiskLimits limits{};
    };
    explicit DiskWatch(const Parts& parts);

    // Kind::unavailable disk.unmeasured; the level stays then.
    Result<Done> look();

 private:
    void note_change(db::Room before, db::Room now, const Space& space) const;

    const Parts parts_;
    Reserve reserve_;
    // Shared with the gauges, which may be read after the watch has gone.
    struct Levels {
        std::atomic<double> free_bytes{0};
        std::atomic<double> room{0};
    };
    const std::shared_ptr<Levels> levels_ = std::make_shared<Levels>();
};

}  // namespace synapsex
