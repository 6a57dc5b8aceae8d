#pragma once

// Files that hold secrets: mode 0600, owned by the caller, replaced in one step.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"

namespace synapsex::cli {

// Nothing if there is no such file. Fails with cli.file_exposed when another user may read or
// write it or owns it, with cli.file_unreadable otherwise.
Result<std::optional<std::string>> read_private_file(const std::filesystem::path& path);

// Whether the file may be replaced: it is missing or an ordinary file, or a link to one. Anything
// else, and names of open files such as /dev/stdout, stay as they are: cli.file_not_ordinary.
Result<Done> check_replaceable(const std::filesystem::path& path);

// That nothing has this name: cli.file_exists. A link that leads nowhere is something.
Result<Done> check_missing(const std::filesystem::path& path);
// That the file's folder is there (cli.folder_missing) and can be written (cli.file_unwritable).
Result<Done> check_folder_of(const std::filesystem::path& path);

// With mode 0700. Fails with cli.file_unwritable.
Result<Done> make_folders_of(const std::filesystem::path& path);

// A reader sees the old content or the new, never a part, also after a power cut. Fails as
// check_replaceable does, and with cli.file_unwritable, as where its folder is missing.
Result<Done> write_private_file(const std::filesystem::path& path, std::string_view content);

// True if there was one. Fails as write_private_file does.
Result<bool> remove_private_file(const std::filesystem::path& path);

// While it lives, no other process holds a FileLock of the same path; waits for that. Makes missing
// folders. The file stays: removing it would let two processes lock two files of one name.
class FileLock {
 public:
    static Result<FileLock> acquire(const std::filesystem::path& path);
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

 private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace synapsex::cli
