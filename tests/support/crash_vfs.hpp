#pragma once

// A disk that can lose its power, fail or be full, for SQLite: a VFS over the system's. It knows of
// each file what a sync has made safe and what was only written, and so what a power cut can leave.
//
//   CrashVfs disk;
//   sqlite::Connection connection{{.path = path, .vfs = disk.name()}};
//   disk.plan(disk.operations() + 3, Fault::power_cut);
//   …                                                    // fails from the third operation on
//   disk.leave_remains(folder, Loss::torn, random);      // opened there by the system's VFS
//
// Files that exist before they are first opened count as safe. A new file is safe with its first
// sync; a deletion may come undone until a new journal is synced, with which SQLite syncs the
// folder. Connections are closed before it ends. Any thread.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "shared/base/random.hpp"

namespace synapsex::testing {

enum class Fault {
    power_cut,  // the operation and all after it fail, reads too
    io_error,   // this one fails
    full_disk,  // this one fails, as far as it needs room
};

// What a power cut leaves of the writes that no sync followed.
enum class Loss {
    all,   // nothing
    some,  // any of them: a disk writes in its own order
    torn,  // the first few, and of the next one some sectors of 512 bytes
};

class CrashVfs {
 public:
    CrashVfs();
    ~CrashVfs();
    CrashVfs(const CrashVfs&) = delete;
    CrashVfs& operator=(const CrashVfs&) = delete;

    // For sqlite::OpenOptions and db::SqliteOptions.
    const std::string& name() const;

    // Writes, truncations, syncs and deletions so far.
    std::uint64_t operations() const;
    // What happens to the operation of this number, counted from 1.
    void plan(std::uint64_t operation, Fault fault);
    bool has_lost_power() const;

    // Writes into the folder what a power cut now, or the one that was, could leave of each file.
    void leave_remains(const std::filesystem::path& folder, Loss loss, Random& random) const;

    class Disk;

 private:
    const std::unique_ptr<Disk> disk_;
};

}  // namespace synapsex::testing
