#include "shared/base/new_file.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "shared/base/descriptor.hpp"

namespace synapsex {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAside = ".new-";
constexpr std::string_view kOwnName = "XXXXXX";  // mkostemp's
constexpr std::chrono::hours kLeftAfter{24};     // no writer takes so long

std::error_code last_error() { return {errno, std::generic_category()}; }

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : ".";
}

// What writers left that were killed. One that may be at work yet is left alone: its file is about
// as old as ours.
void remove_leftovers(const fs::path& path, const fs::path& ours) {
    const auto start = path.filename().string().append(kAside);
    std::error_code error;
    const auto made_at = fs::last_write_time(ours, error);
    if (error) return;
    fs::directory_iterator entries{folder_of(path), error};
    for (; !error && entries != fs::directory_iterator{}; entries.increment(error)) {
        const auto name = entries->path().filename().string();
        if (!name.starts_with(start) || name.size() != start.size() + kOwnName.size()) continue;
        std::error_code gone;  // another removes it as well
        const auto left_at = fs::last_write_time(entries->path(), gone);
        if (!gone && made_at - left_at > kLeftAfter) ::unlink(entries->path().c_str());
    }
}

std::error_code write_and_link(
    Descriptor& file, const fs::path& aside, const fs::path& path, std::string_view content
) {
    if (!write_all(file.number(), content) || ::fsync(file.number()) != 0 || !file.close())
        return last_error();
    // link, unlike rename, never replaces what somebody else has made meanwhile.
    const auto linked = ::link(aside.c_str(), path.c_str()) == 0 ? std::error_code{} : last_error();
    if (linked && linked != std::errc::file_exists) return linked;
    return sync_folder(folder_of(path)) ? linked : last_error();
}

}  // namespace

std::error_code make_new_file(const fs::path& path, std::string_view content) {
    auto aside = path.string().append(kAside).append(kOwnName);
    Descriptor file{::mkostemp(aside.data(), O_CLOEXEC)};
    if (!file.is_open()) return last_error();
    const auto made = write_and_link(file, aside, path, content);
    remove_leftovers(path, aside);
    ::unlink(aside.c_str());
    return made;
}

}  // namespace synapsex
