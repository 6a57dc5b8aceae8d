#include "agent/executor/run_lock.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace synapsex::executor {

Result<RunLock> RunLock::take(const std::filesystem::path& path, const std::string& who) {
    // Not through a link, and never waiting for a FIFO: the directory may be the worker's.
    constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    Descriptor file{::open(path.c_str(), kFlags, S_IRUSR | S_IWUSR)};
    if (file.is_open() && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0)
        return RunLock{std::move(file)};
    if (file.is_open() && errno == EWOULDBLOCK)
        return Problem{
            .kind = Kind::conflict,
            .code = "executor.already_running",
            .detail = "Another " + who + " already uses the run directory " +
                      path.parent_path().string() + ".",
        };
    return Problem{
        .kind = Kind::internal,
        .code = "executor.lock_failed",
        .detail = "Cannot lock " + path.string() + ": " + std::strerror(errno),
    };
}

}  // namespace synapsex::executor
