#include "controlplane/cli/private_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "shared/base/descriptor.hpp"

namespace synapsex::cli {

namespace {

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

Problem exposed(const std::filesystem::path& path, std::string_view how) {
    return {
        .kind = Kind::forbidden,
        .code = "cli.file_exposed",
        .detail = path.string() + " holds secrets and " + std::string{how}};
}

bool make_private_folders(const std::filesystem::path& folder) {
    if (folder.empty() || std::filesystem::is_directory(folder)) return true;
    if (!make_private_folders(folder.parent_path())) return false;
    return ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return std::filesystem::absolute(path).parent_path();
}

// A rename would replace the link.
std::filesystem::path behind_links(const std::filesystem::path& path) {
    std::error_code error;
    auto target = std::filesystem::canonical(path, error);
    return error ? path : target;
}

// /dev/stdout, /dev/fd/3: a file that somebody holds open would be replaced behind their back.
bool is_name_of_open_file(const std::filesystem::path& path) {
    constexpr int kLinksMax = 40;  // as the kernel has it
    std::error_code error;
    auto link = std::filesystem::absolute(path);
    for (int i = 0; i < kLinksMax && std::filesystem::is_symlink(link, error); ++i) {
        const auto folder = std::filesystem::canonical(link.parent_path(), error);
        if (folder.string().starts_with("/proc/")) return true;
        link = folder / std::filesystem::read_symlink(link, error);
    }
    return false;
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
    if (S_ISDIR(facts.st_mode)) {
        errno = EISDIR;
        return unreadable(path);
    }
    if (facts.st_uid != ::geteuid())
        return exposed(
            path,
            "belongs to another user. Run this as that user, or name a sign-in of your own with "
            "--credentials or --profile."
        );
    if ((facts.st_mode & 077) != 0)
        return exposed(
            path,
            "is not yours alone. Make it so with chmod 600 and, where others may have read it, "
            "sign in again."
        );

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

// The superuser could put a file into the place of a device, for all programs.
Result<Done> check_replaceable(const std::filesystem::path& path) {
    struct stat facts {};
    const bool is_missing = ::stat(path.c_str(), &facts) != 0;
    if ((is_missing || S_ISREG(facts.st_mode)) && !is_name_of_open_file(path)) return Done{};
    return Problem{
        .kind = Kind::invalid,
        .code = "cli.file_not_ordinary",
        .detail = path.string() + " is no ordinary file and stays as it is."};
}

Result<Done> check_missing(const std::filesystem::path& path) {
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) != 0) return Done{};
    return Problem{
        .kind = Kind::invalid,
        .code = "cli.file_exists",
        .detail = path.string() + " is there already and stays as it is."};
}

Result<Done> check_folder_of(const std::filesystem::path& path) {
    const auto folder = folder_of(behind_links(path));
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return Done{};
    if (errno != ENOENT && errno != ENOTDIR) return unwritable(folder);
    return Problem{
        .kind = Kind::invalid,
        .code = "cli.folder_missing",
        .detail = "There is no folder " + folder.string() + ". Make it first."};
}

Result<Done> make_folders_of(const std::filesystem::path& path) {
    if (!make_private_folders(folder_of(path))) return unwritable(path);
    return Done{};
}

Result<Done> write_private_file(const std::filesystem::path& path, std::string_view content) {
    SYNAPSEX_CHECK(check_replaceable(path));
    const auto target = behind_links(path);
    std::string temporary = target.string() + ".XXXXXX";
    const Descriptor descriptor{::mkostemp(temporary.data(), O_CLOEXEC)};  // mode 0600
    if (!descriptor.is_open()) return unwritable(path);
    if (!write_all(descriptor.number(), content) || ::fsync(descriptor.number()) != 0 ||
        ::rename(temporary.c_str(), target.c_str()) != 0) {
        const auto problem = unwritable(path);
        ::unlink(temporary.c_str());
        return problem;
    }
    (void)sync_folder(folder_of(target));  // without it a power cut may undo the rename
    return Done{};
}

Result<bool> remove_private_file(const std::filesystem::path& path) {
    SYNAPSEX_CHECK(check_replaceable(path));
    if (::unlink(behind_links(path).c_str()) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return unwritable(path);
}

Result<FileLock> FileLock::acquire(const std::filesystem::path& path) {
    SYNAPSEX_CHECK(make_folders_of(path));
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
