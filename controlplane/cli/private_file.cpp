#include "controlplane/cli/private_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace synapsex::cli {

namespace {

class Descriptor {
 public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int number() const { return number_; }
    bool is_open() const { return number_ >= 0; }

 private:
    int number_;
};

Problem unreadable(const std::filesystem::path& path) {
    return {
        .kind = Kind::internal,
        .code = "cli.file_unreadable",
        .detail = path.string() + ": " + std::generic_category().message(errno)};
}

Problem unwritable(const std::filesystem::path& path) {
    return {
        .kind = Kind::internal,
        .code = "cli.file_unwritable",
        .detail = path.string() + ": " + std::generic_category().message(errno)};
}

Problem exposed(const std::filesystem::path& path) {
    return {
        .kind = Kind::forbidden,
        .code = "cli.file_exposed",
        .detail = path.string() +
                  " holds secrets and is not yours alone. Make it so with chmod 600 and, where "
                  "others may have read it, sign in again."};
}

bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const auto written = ::write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// Without it a power cut may undo the rename.
void sync_folder(const std::filesystem::path& folder) {
    const Descriptor descriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (descriptor.is_open()) ::fsync(descriptor.number());
}

bool make_private_folders(const std::filesystem::path& folder) {
    if (folder.empty() || std::filesystem::is_directory(folder)) return true;
    if (!make_private_folders(folder.parent_path())) return false;
    return ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST;
}

}  // namespace

Result<std::optional<std::string>> read_private_file(const std::filesystem::path& path) {
    const Descriptor descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!descriptor.is_open()) {
        if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>{};
        return unreadable(path);
    }
    struct stat facts {};
    if (::fstat(descriptor.number(), &facts) != 0) return unreadable(path);
    if ((facts.st_mode & 077) != 0 || facts.st_uid != ::geteuid()) return exposed(path);

    std::string content;
    char buffer[4096];
    for (;;) {
        const auto size = ::read(descriptor.number(), buffer, sizeof buffer);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return unreadable(path);
        if (size == 0) return std::optional{std::move(content)};
        content.append(buffer, static_cast<std::size_t>(size));
    }
}

Result<Done> write_private_file(const std::filesystem::path& path, std::string_view content) {
    const auto folder = std::filesystem::absolute(path).parent_path();
    if (!make_private_folders(folder)) return unwritable(folder);
    std::string temporary = path.string() + ".XXXXXX";
    const Descriptor descriptor{::mkostemp(temporary.data(), O_CLOEXEC)};  // mode 0600
    if (!descriptor.is_open()) return unwritable(path);
    if (!write_all(descriptor.number(), content) || ::fsync(descriptor.number()) != 0 ||
        ::rename(temporary.c_str(), path.c_str()) != 0) {
        const auto problem = unwritable(path);
        ::unlink(temporary.c_str());
        return problem;
    }
    sync_folder(folder);
    return Done{};
}

Result<FileLock> FileLock::acquire(const std::filesystem::path& path) {
    if (!make_private_folders(std::filesystem::absolute(path).parent_path()))
        return unwritable(path);
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return unwritable(path);
    FileLock lock{descriptor};
    while (::flock(descriptor, LOCK_EX) != 0)
        if (errno != EINTR) return unwritable(path);
    return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace synapsex::cli
