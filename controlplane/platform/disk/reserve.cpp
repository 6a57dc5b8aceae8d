#include "controlplane/platform/disk/reserve.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <system_error>

#include "shared/base/descriptor.hpp"

namespace synapsex {

std::uint64_t Reserve::held_bytes() const {
    struct stat status{};
    const bool is_file = ::lstat(path_.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    return is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
}

void Reserve::hold(std::uint64_t bytes) {
    if (held_bytes() >= bytes) return;
    const Descriptor file{
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
    };
    if (!file.is_open()) return;
    if (::posix_fallocate(file.number(), 0, static_cast<off_t>(bytes)) != 0) release();
}

void Reserve::release() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

}  // namespace synapsex
