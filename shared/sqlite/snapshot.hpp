#pragma once

// A copy of a database as it was at one instant, while others write to it, and whether a file is
// whole.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace synapsex::sqlite {

struct Snapshot {
    std::int64_t pages = 0;
    std::int64_t page_bytes = 0;
};

// `done` of `all` pages.
using CopyProgress = std::function<void(std::int64_t done, std::int64_t all)>;

// Copies `from` to `to`, which must not be there; it is synced. Everything is read in one read
// transaction: in WAL mode that holds nobody up, and no write of another process makes it start
// anew. Meanwhile the WAL grows by what is written. Throws Error.
Snapshot copy_snapshot(
    const std::filesystem::path& from, const std::filesystem::path& to, const CopyProgress& progress
);

// "ok", or the first thing that is wrong with the file (PRAGMA integrity_check).
std::string check_integrity(const std::filesystem::path& file);

}  // namespace synapsex::sqlite
