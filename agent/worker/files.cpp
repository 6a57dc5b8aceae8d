#include "agent/worker/files.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/descriptor.hpp"

namespace synapsex::agent {

namespace {

Problem file_problem(const std::string& what, const std::filesystem::path& path) {
    return {
        .kind = Kind::internal,
        .code = "agent.file_failed",
        .detail = what + " " + path.string() + ": " + std::strerror(errno),
    };
}

Result<std::optional<std::string>> read_small(
    const Descriptor& file, const std::filesystem::path& path, std::size_t bytes_max
) {
    if (!file.is_open() && errno == ENOENT) return std::optional<std::string>{};
    if (!file.is_open()) return file_problem("Cannot open", path);
    std::string content(bytes_max + 1, '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        const auto count = ::read(file.number(), content.data() + size, content.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return file_problem("Cannot read", path);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    errno = EFBIG;
    if (size > bytes_max) return file_problem("Will not read", path);
    content.resize(size);
    return std::optional{std::move(content)};
}

}  // namespace

Result<std::optional<std::string>> find_small_file(
    const std::filesystem::path& path, std::size_t bytes_max
) {
    return read_small(Descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}, path, bytes_max);
}

Result<std::optional<std::string>> find_own_file(
    const std::filesystem::path& path, std::size_t bytes_max
) {
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    const Descriptor file{::open(path.c_str(), kFlags)};
    struct stat facts {};
    if (file.is_open() && (::fstat(file.number(), &facts) != 0 || !S_ISREG(facts.st_mode))) {
        errno = EINVAL;
        return file_problem("Will not read what is no file:", path);
    }
    return read_small(file, path, bytes_max);
}

Result<Done> remove_file(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return file_problem("Cannot remove", path);
    if (!sync_folder(path.parent_path())) return file_problem("Cannot sync the directory of", path);
    return Done{};
}

Result<Done> write_file_atomically(
    const std::filesystem::path& path, std::string_view content, FileDurability durability
) {
    const std::filesystem::path aside = path.string() + ".new";
    // Not through a link, and never waiting for who reads a pipe that is in its place.
    constexpr int kFlags =
        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    Descriptor file{::open(aside.c_str(), kFlags, S_IRUSR | S_IWUSR)};
    if (!file.is_open()) return file_problem("Cannot create", aside);
    struct stat facts {};
    errno = EEXIST;
    if (::fstat(file.number(), &facts) != 0 || !S_ISREG(facts.st_mode))
        return file_problem("Cannot create", aside);
    const bool is_synced = durability == FileDurability::synced;
    if (!write_all(file.number(), content) || (is_synced && ::fsync(file.number()) != 0) ||
        !file.close())
        return file_problem("Cannot write", aside);
    if (::rename(aside.c_str(), path.c_str()) != 0) return file_problem("Cannot rename to", path);
    if (is_synced && !sync_folder(path.parent_path()))
        return file_problem("Cannot sync the directory of", path);
    return Done{};
}

Result<Done> erase_file(const std::filesystem::path& path) {
    struct stat named {};
    if (::lstat(path.c_str(), &named) != 0 && errno == ENOENT) return Done{};
    // /dev/stdin, a pipe or a link: nothing of ours, and some of it is the system's.
    errno = EPERM;
    if (!S_ISREG(named.st_mode)) return file_problem("Will not erase what is no file:", path);
    {
        const Descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW)};
        struct stat facts {};
        // What cannot be overwritten may still be removed, so failures wait for the end.
        if (file.is_open() && ::fstat(file.number(), &facts) == 0 && facts.st_size < 64 * 1024) {
            write_all(file.number(), std::string(static_cast<std::size_t>(facts.st_size), '\0'));
            ::fsync(file.number());
            [[maybe_unused]] const int cut = ::ftruncate(file.number(), 0);
        }
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return file_problem("Cannot remove", path);
    return Done{};
}

Result<Done> make_private_directory(const std::filesystem::path& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return Done{};
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
    if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST)
        return file_problem("Cannot create the directory", path);
    return Done{};
}

Result<bool> is_file_locked(const std::filesystem::path& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (!file.is_open() && errno == ENOENT) return false;
    if (!file.is_open()) return file_problem("Cannot open", path);
    if (::flock(file.number(), LOCK_SH | LOCK_NB) == 0) return false;
    if (errno == EWOULDBLOCK) return true;
    return file_problem("Cannot look at the lock of", path);
}

Result<FileLock> FileLock::take(const std::filesystem::path& path) {
    const int descriptor =
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (descriptor < 0) return file_problem("Cannot open", path);
    FileLock lock{descriptor};
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) return file_problem("Cannot lock", path);
    return Problem{
        .kind = Kind::conflict,
        .code = std::string{kAlreadyRunning},
        .detail =
            "Another agent already uses the data directory " + path.parent_path().string() + ".",
    };
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace synapsex::agent
