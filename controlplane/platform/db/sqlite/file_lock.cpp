#include "controlplane/platform/db/sqlite/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "controlplane/platform/db/sqlite/sqlite.hpp"

namespace synapsex::db {

namespace {

// The owner's pid, as it wrote it; a lock just taken may not have one yet.
std::string read_owner(int descriptor) {
    std::array<char, 20> text{};
    const auto size = ::pread(descriptor, text.data(), text.size(), 0);
    std::string pid;
    for (ssize_t i = 0; i < size; ++i) {
        const char c = text[static_cast<std::size_t>(i)];
        if (c < '0' || c > '9') break;
        pid += c;
    }
    return pid.empty() ? "another process" : "process " + pid;
}

DatabaseError failed(const std::string& path, int error) {
    return DatabaseError("cannot lock " + path + ": " + std::generic_category().message(error));
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& database) {
    const std::string path = resolve_path(database).string() + ".lock";
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor_ < 0) throw failed(path, errno);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        const auto owner = read_owner(descriptor_);
        ::close(descriptor_);
        if (error != EWOULDBLOCK) throw failed(path, error);
        throw DatabaseInUse(
            "The database " + database.string() + " is in use by " + owner +
            "; stop it first, or set DATABASE_URL to another file."
        );
    }
    const auto pid = std::to_string(::getpid()) + "\n";
    const bool is_written =
        ::ftruncate(descriptor_, 0) == 0 &&
        ::pwrite(descriptor_, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
    // On a full disk the lock still holds; only the sentence above loses its pid.
    static_cast<void>(is_written);
}

FileLock::~FileLock() {
    ::close(descriptor_);
}

}  // namespace synapsex::db
