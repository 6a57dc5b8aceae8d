#pragma once

// Keeps a second process off a database: two writers with their own queues would make each other
// wait for locks that neither reports well.

#include <filesystem>

namespace synapsex::db {

// An flock on <database>.lock, beside the file that the path resolves to; it holds the owner's pid
// as text. The kernel lets go of it when the process ends, however it ends; the file itself stays.
class FileLock {
 public:
    // Throws DatabaseInUse, or DatabaseError if the lock file cannot be made.
    explicit FileLock(const std::filesystem::path& database);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

 private:
    int descriptor_;
};

}  // namespace synapsex::db
