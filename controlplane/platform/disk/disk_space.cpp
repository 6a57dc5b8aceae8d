#include "controlplane/platform/disk/disk_space.hpp"

#include <sys/statvfs.h>

namespace synapsex {

std::optional<Space> SystemDiskSpace::measure(const std::filesystem::path& folder) {
    struct statvfs found {};
    if (::statvfs(folder.c_str(), &found) != 0 || found.f_blocks == 0) return std::nullopt;
    // As df has it: what is set aside for root is neither used nor free.
    const auto used = found.f_blocks - found.f_bfree;
    return Space{
        .total_bytes = (used + found.f_bavail) * found.f_frsize,
        .free_bytes = found.f_bavail * found.f_frsize,
    };
}

}  // namespace synapsex
