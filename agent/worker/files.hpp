#pragma once

// The few things that the worker does with files, each with its error as a sentence.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"

namespace synapsex::agent {

// nullopt if there is no such file; a failure if it is larger than `bytes_max` or unreadable.
Result<std::optional<std::string>> find_small_file(
    const std::filesystem::path& path, std::size_t bytes_max
);

enum class FileDurability { synced, cached };

// Mode 0600; a reader sees the old content or the new one, also after a power cut if synced.
Result<Done> write_file_atomically(
    const std::filesystem::path& path, std::string_view content, FileDurability durability
);

// As find_small_file, and only a regular file, never through a link, and never waiting for a pipe:
// for what the agent itself has written.
Result<std::optional<std::string>> find_own_file(
    const std::filesystem::path& path, std::size_t bytes_max
);

// Fails unless it is gone then, durably.
Result<Done> remove_file(const std::filesystem::path& path);

// Overwrites and removes; where the directory forbids the removal the file stays, empty. Touches
// nothing but a regular file: a link, a pipe or a device (/dev/stdin) is a failure.
Result<Done> erase_file(const std::filesystem::path& path);

// Creates what is missing, mode 0700.
Result<Done> make_private_directory(const std::filesystem::path& path);

// Whether a process holds the FileLock of that path; a failure if that cannot be told. Makes no
// file.
Result<bool> is_file_locked(const std::filesystem::path& path);

inline constexpr std::string_view kAlreadyRunning = "agent.already_running";

// Held until the process ends, however it ends.
class FileLock {
 public:
    // Fails with agent.already_running and one sentence if another process has it.
    static Result<FileLock> take(const std::filesystem::path& path);
    ~FileLock();
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&&) = delete;

 private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace synapsex::agent
