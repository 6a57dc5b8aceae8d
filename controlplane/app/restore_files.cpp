#include "controlplane/app/restore_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/app/start_refused.hpp"
#include "shared/base/descriptor.hpp"

namespace synapsex::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kStaged = ".restoring";
constexpr std::string_view kAside = ".before-restore-";
constexpr std::array<std::string_view, 3> kLogs{"-wal", "-shm", "-journal"};

std::string last_error() { return std::generic_category().message(errno); }

// One that is mounted by itself can be neither moved nor replaced.
bool is_mount_point(const fs::path& path) {
    struct statx status{};
    return ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

bool is_log(std::string_view path) {
    return std::ranges::any_of(kLogs, [&](auto log) { return path.ends_with(log); });
}

std::vector<fs::path> with_logs(const fs::path& database) {
    std::vector<fs::path> files;
    for (const auto log : kLogs) files.emplace_back(database.string().append(log));
    files.push_back(database);
    return files;
}

std::vector<fs::path> list_key_files(const fs::path& keys) {
    std::vector<fs::path> files;
    std::error_code error;
    fs::directory_iterator entries{keys, error};
    for (; !error && entries != fs::directory_iterator{}; entries.increment(error)) {
        const auto name = entries->path().filename().string();
        std::error_code ignored;
        if (name.starts_with('.') || entries->is_directory(ignored)) continue;  // lost+found
        if (name.ends_with(kStaged) || name.find(kAside) != name.npos) continue;
        files.push_back(entries->path());
    }
    if (error && error != std::errc::no_such_file_or_directory)
        throw StartRefused("cannot read " + keys.string() + ": " + error.message());
    std::ranges::sort(files);
    return files;
}

fs::path staged_of(const fs::path& file) { return file.string().append(kStaged); }

void remove_staged_in(const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator entries{folder, error};
    for (; !error && entries != fs::directory_iterator{}; entries.increment(error))
        if (entries->path().native().ends_with(kStaged)) ::unlink(entries->path().c_str());
}

fs::path aside_of(const fs::path& file, const std::string& name) {
    auto path = file.string();
    std::string end;
    for (const auto log : kLogs) {
        if (!path.ends_with(log)) continue;
        end = log;
        path.resize(path.size() - log.size());
        break;
    }
    return path + "." + name + end;
}

void set_aside(const fs::path& file, const std::string& name) {
    const auto aside = aside_of(file, name);
    if (is_there(file) && !is_there(aside)) move(file, aside);
}

void require_movable(const fs::path& file) {
    const auto folder = file.parent_path();
    if (file.native().find('\n') != fs::path::string_type::npos)
        throw StartRefused(file.string() + " has a line break in its name; choose another");
    if (fs::is_directory(fs::symlink_status(file)))
        throw StartRefused(file.string() + " is a directory; move it away");
    if (is_mount_point(file))
        throw StartRefused(
            file.string() + " is mounted by itself, and so cannot be replaced: unmount it, or "
            "mount its folder in its place"
        );
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
        throw StartRefused("cannot change what is in " + folder.string() + ": " + last_error());
}

void move(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) == 0) return;
    throw StartRefused(
        "cannot move " + from.string() + " to " + to.string() + ": " + last_error()
    );
}

void copy_to_disk(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::copy_file(from, to, error);
    if (error) throw StartRefused("cannot write " + to.string() + ": " + error.message());
    sync(to);
}

void sync(const fs::path& path) {
    const Descriptor descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!descriptor.is_open() || ::fsync(descriptor.number()) != 0)
        throw StartRefused("cannot write " + path.string() + " to its disk");
}

}  // namespace synapsex::app
