#pragma once

// How much room there is on the disk of a folder: the seam of what goes by it.

#include <cstdint>
#include <filesystem>
#include <optional>

namespace synapsex {

struct Space {
    std::uint64_t total_bytes = 0;  // what programs without rights of their own may fill
    std::uint64_t free_bytes = 0;   // of these
};

class DiskSpace {
 public:
    virtual ~DiskSpace() = default;
    // nullopt: the system does not tell. Any thread.
    virtual std::optional<Space> measure(const std::filesystem::path& folder) = 0;
};

class SystemDiskSpace final : public DiskSpace {
 public:
    std::optional<Space> measure(const std::filesystem::path& folder) override;
};

}  // namespace synapsex
