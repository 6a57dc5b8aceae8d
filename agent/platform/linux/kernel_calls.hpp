#pragma once

// What Linux tells through system calls only, and no file: the seam where tests give their own
// answers. Everything else is read from files below a Root.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace synapsex::platform {

struct FilesystemUse {
    std::uint64_t size_bytes = 0;
    std::uint64_t free_bytes = 0;
    std::uint64_t available_bytes = 0;  // of the free ones, those that ordinary users may fill
    std::uint64_t inodes = 0;
    std::uint64_t inodes_free = 0;
};

struct InterfaceAddress {
    std::string interface;
    std::string address;  // "192.0.2.7/24"
    bool is_link_local = false;
};

class KernelCalls {
 public:
    virtual ~KernelCalls() = default;

    // nullopt if `mount_point` is not a directory, or if another mount covers the one of that id.
    // Never triggers an automount.
    virtual std::optional<FilesystemUse> filesystem_use(
        const std::string& mount_point, std::uint64_t mount_id
    ) = 0;
    // Of this network namespace, IPv4 and IPv6.
    virtual std::vector<InterfaceAddress> addresses() = 0;
    virtual std::string architecture() = 0;
};

// The running kernel's answers; mount points are looked up below `root`.
std::unique_ptr<KernelCalls> make_kernel_calls(const std::string& root);

}  // namespace synapsex::platform
