#include "agent/platform/linux/kernel_calls.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "agent/platform/linux/fields.hpp"
#include "agent/platform/linux/root.hpp"

namespace synapsex::platform {
namespace {

constexpr std::size_t kAddressesMax = 16'384;

struct FreeAddresses {
    void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

// Kernels before 5.8 do not tell the id: then the mount is taken for the one that was meant.
bool is_directory_of_mount(const std::string& path, std::uint64_t mount_id) {
    constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
    struct statx status {};
    if (::statx(AT_FDCWD, path.c_str(), kFlags, STATX_TYPE | STATX_MNT_ID, &status) != 0)
        return false;
    if ((status.stx_mask & STATX_MNT_ID) != 0 && status.stx_mnt_id != mount_id) return false;
    return S_ISDIR(status.stx_mode);
}

int count_prefix_bits(std::span<const unsigned char> mask) {
    int bits = 0;
    for (const auto byte : mask) bits += std::popcount(byte);
    return bits;
}

std::string print_address(int family, const void* address, int prefix_bits) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (!::inet_ntop(family, address, text.data(), text.size())) return {};
    return std::string{text.data()} + "/" + std::to_string(prefix_bits);
}

// getifaddrs' generic addresses are copied into the type of their family, which is what keeps this
// free of aliasing.
template <class Address>
Address copy_address(const sockaddr* generic) {
    Address address{};
    if (generic) std::memcpy(&address, generic, sizeof address);
    return address;
}

std::optional<InterfaceAddress> parse_ipv4(const ifaddrs& entry) {
    const auto address = copy_address<sockaddr_in>(entry.ifa_addr).sin_addr;
    const auto mask = copy_address<sockaddr_in>(entry.ifa_netmask).sin_addr.s_addr;
    InterfaceAddress parsed{.interface = entry.ifa_name, .address = {}};
    parsed.address = print_address(AF_INET, &address, std::popcount(mask));
    parsed.is_link_local = (ntohl(address.s_addr) >> 16) == 0xA9FE;  // 169.254.0.0/16
    return parsed;
}

std::optional<InterfaceAddress> parse_ipv6(const ifaddrs& entry) {
    const auto address = copy_address<sockaddr_in6>(entry.ifa_addr).sin6_addr;
    const auto mask = copy_address<sockaddr_in6>(entry.ifa_netmask).sin6_addr;
    InterfaceAddress parsed{.interface = entry.ifa_name, .address = {}};
    parsed.address = print_address(AF_INET6, &address, count_prefix_bits(mask.s6_addr));
    parsed.is_link_local = address.s6_addr[0] == 0xFE && (address.s6_addr[1] & 0xC0) == 0x80;
    return parsed;
}

std::optional<InterfaceAddress> parse_entry(const ifaddrs& entry) {
    if (!entry.ifa_addr || !entry.ifa_name) return std::nullopt;
    if (entry.ifa_addr->sa_family == AF_INET) return parse_ipv4(entry);
    if (entry.ifa_addr->sa_family == AF_INET6) return parse_ipv6(entry);
    return std::nullopt;
}

class RunningKernel final : public KernelCalls {
 public:
    explicit RunningKernel(const std::string& root) : root_(root == "/" ? "" : root) {}

    std::optional<FilesystemUse> filesystem_use(
        const std::string& mount_point, std::uint64_t mount_id
    ) override {
        const auto path = root_ + mount_point;
        if (!is_directory_of_mount(path, mount_id)) return std::nullopt;
        struct statvfs status {};
        if (::statvfs(path.c_str(), &status) != 0) return std::nullopt;
        const std::uint64_t block = status.f_frsize;
        return FilesystemUse{
            .size_bytes = multiply_capped(status.f_blocks, block),
            .free_bytes = multiply_capped(status.f_bfree, block),
            .available_bytes = multiply_capped(status.f_bavail, block),
            .inodes = status.f_files,
            .inodes_free = status.f_ffree
        };
    }

    std::vector<InterfaceAddress> addresses() override {
        std::vector<InterfaceAddress> found;
        ifaddrs* list = nullptr;
        if (::getifaddrs(&list) != 0) return found;
        const std::unique_ptr<ifaddrs, FreeAddresses> owner{list};
        for (; list && found.size() < kAddressesMax; list = list->ifa_next)
            if (auto address = parse_entry(*list)) found.push_back(std::move(*address));
        return found;
    }

    std::string architecture() override {
        utsname name{};
        return ::uname(&name) == 0 ? name.machine : "";
    }

 private:
    std::string root_;
};

}  // namespace

std::unique_ptr<KernelCalls> make_kernel_calls(const std::string& root) {
    return std::make_unique<RunningKernel>(root);
}

}  // namespace synapsex::platform
