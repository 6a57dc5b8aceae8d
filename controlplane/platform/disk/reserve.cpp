#include "controlplane/platform/disk/reserve.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>

namespace synapsex {

Reserve::Reserve(std::filesystem::path path)
    : path_(std::move(path)), is_held_(std::filesystem::exists(path_)) {}

void Reserve::hold(std::uint64_t bytes) {
    if (is_held_ || bytes == 0) return;
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return;
    is_held_ = ::posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0;
    ::close(file);
    if (!is_held_) release();
}

void Reserve::release() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    is_held_ = false;
}

}  // namespace synapsex
