#include "agent/platform/linux/root.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "agent/platform/linux/fields.hpp"

namespace synapsex::platform {
namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Directory open_directory(int root, const std::string& path) {
    const int fd = ::openat(root, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return nullptr;
    Directory directory{::fdopendir(fd)};
    if (!directory) ::close(fd);
    return directory;
}

}  // namespace

Root::Root(const std::string& path)
    : directory_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (!directory_.is_open()) throw std::system_error(errno, std::generic_category(), path);
}

Descriptor Root::open(const std::string& path) const {
    // O_NONBLOCK: a pipe in the place of a file must not hold us up before fstat finds it out.
    constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    Descriptor file{::openat(directory_.number(), path.c_str(), kFlags)};
    struct stat status {};
    if (!file.is_open() || ::fstat(file.number(), &status) != 0) return {};
    if (!S_ISREG(status.st_mode)) return {};
    return file;
}

std::string Root::read(const std::string& path, std::size_t max_bytes) const {
    const auto file = open(path);
    std::string text;
    if (!file.is_open()) return text;
    std::array<char, 1024> buffer;
    while (text.size() < max_bytes) {
        const auto wanted = std::min(buffer.size(), max_bytes - text.size());
        const auto count = ::read(file.number(), buffer.data(), wanted);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
}

std::string Root::read_value(const std::string& path) const {
    return std::string{trim(read(path))};
}

std::optional<std::uint64_t> Root::read_number(const std::string& path) const {
    return parse_number(trim(read(path, 64)));
}

bool Root::exists(const std::string& path) const {
    struct stat status {};
    return ::fstatat(directory_.number(), path.c_str(), &status, 0) == 0;
}

std::string Root::read_link(const std::string& path) const {
    std::array<char, 1024> target;
    const auto size = ::readlinkat(directory_.number(), path.c_str(), target.data(), target.size());
    return size > 0 ? std::string{target.data(), static_cast<std::size_t>(size)} : std::string{};
}

std::vector<std::string> Root::list(const std::string& path, std::size_t max) const {
    std::vector<std::string> names;
    const auto directory = open_directory(directory_.number(), path);
    if (!directory) return names;
    while (names.size() < max) {
        const dirent* entry = ::readdir(directory.get());
        if (!entry) break;
        const std::string_view name{entry->d_name};
        if (name != "." && name != "..") names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::uint32_t Root::count_numbered(const std::string& path) const {
    const auto directory = open_directory(directory_.number(), path);
    std::uint32_t count = 0;
    if (!directory) return count;
    while (const dirent* entry = ::readdir(directory.get()))
        if (is_digit(entry->d_name[0])) ++count;
    return count;
}

PackageStamp Root::stamp(const std::string& path) const {
    struct stat status {};
    if (::fstatat(directory_.number(), path.c_str(), &status, 0) != 0) return {};
    return {
        .modified_at_ns = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 +
                          status.st_mtim.tv_nsec,
        .size_bytes = static_cast<std::uint64_t>(status.st_size),
        .file = status.st_ino
    };
}

}  // namespace synapsex::platform
