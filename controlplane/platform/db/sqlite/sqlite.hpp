#pragma once

// The SQLite engine: WAL, synchronous=FULL, a few readers, and one writer that commits a crowd of
// writes with one fsync.
//
// - A write runs on the writer's thread, in a savepoint of a transaction it shares with the writes
//   that wait beside it; all are answered after the one COMMIT. The calling thread waits.
// - Nothing interrupts the writer: an interrupt, like a full disk, ends the whole transaction and
//   with it the neighbours' work. A closure that takes too long is undone when it returns.
// - Where the shared transaction is lost after all, or its COMMIT fails, every closure that did not
//   cause it runs again once, in a transaction of its own; nobody is told of a success that was
//   not.
// - One process has a file: a lock file beside it is held as long as the database is open.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/metrics.hpp"
#include "shared/base/time.hpp"

namespace synapsex::db {

struct SqliteOptions {
    std::filesystem::path path{};  // absolute; its folder exists
    std::string name = "main";     // label of metrics and logs
    std::size_t readers_max = 8;   // connections for reading
    std::size_t queue_max = 1024;  // writes waiting; one more is answered database.busy
    std::size_t batch_max = 256;   // writes in one transaction
    // A transaction takes no further writes once it has run this long: the first must not wait for
    // a crowd of slow ones behind it.
    std::chrono::milliseconds batch_time{10};
    std::chrono::milliseconds write_time_max{2'000};  // of one closure
    std::chrono::milliseconds read_time_max{5'000};
    std::chrono::milliseconds slow_time{50};  // a longer closure is logged
    std::int64_t pages_max = 0;  // of 4 KiB; past them writes fail as on a full disk. 0: none
    std::string vfs{};           // for crash tests; empty for the system's
};

// Another process, or another Database of this one, has the file open. what() is one sentence that
// names the file and the process.
class DatabaseInUse : public DatabaseError {
 public:
    using DatabaseError::DatabaseError;
};

// The file that `path` means, through symbolic links, also where nothing is there yet: however a
// file is spelled, this is the same. Throws DatabaseError for links that lead in a circle.
std::filesystem::path resolve_path(const std::filesystem::path& path);

// Makes the file (mode 0600) if it is missing. Clock and metrics outlive the database. Throws
// DatabaseInUse, DatabaseError. The destructor finishes what is queued.
std::unique_ptr<Database> open_sqlite(
    const SqliteOptions& options, const Clock& clock, Metrics& metrics
);

}  // namespace synapsex::db
