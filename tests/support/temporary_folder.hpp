#pragma once

// Folders for a test's files.

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace synapsex::testing {

// Where files cost no fsync, if the machine has such a place: for tests of what is written, not of
// the disk.
inline std::filesystem::path memory_folder() {
    const std::filesystem::path shared_memory = "/dev/shm";
    return std::filesystem::is_directory(shared_memory) ? shared_memory
                                                        : std::filesystem::temp_directory_path();
}

// Removed at the end with all that is in it.
class TemporaryFolder {
 public:
    explicit TemporaryFolder(
        const std::filesystem::path& parent = std::filesystem::temp_directory_path()
    ) {
        auto pattern = (parent / "synapsex-XXXXXX").string();
        if (!::mkdtemp(pattern.data()))
            throw std::system_error(errno, std::generic_category(), pattern);
        path_ = pattern;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

 private:
    std::filesystem::path path_;
};

}  // namespace synapsex::testing
