#include "agent/platform/linux/linux_system_facts.hpp"

#include <limits>

#include "agent/platform/linux/cpu_info.hpp"
#include "agent/platform/linux/devices.hpp"
#include "agent/platform/linux/dpkg.hpp"
#include "agent/platform/linux/interfaces.hpp"
#include "agent/platform/linux/kernel_counters.hpp"
#include "agent/platform/linux/mounts.hpp"
#include "agent/platform/linux/os_info.hpp"

namespace synapsex::platform {

LinuxSystemFacts::LinuxSystemFacts(const std::string& root, std::unique_ptr<KernelCalls> kernel)
    : root_(root), kernel_(std::move(kernel)) {}

std::string LinuxSystemFacts::boot_id() { return read_boot_id(root_); }

Reading LinuxSystemFacts::take_reading() {
    constexpr auto kAll = std::numeric_limits<std::size_t>::max();
    Reading reading;
    read_load(root_, reading);
    read_memory_use(root_, reading);
    read_uptime(root_, reading);
    reading.cpu = read_cpu_times(root_);
    reading.disks = read_disk_counters(root_);
    reading.links = read_link_counters(root_);
    reading.filesystem_used_permille_max = fullest_permille(filesystems(kAll));
    reading.processes = root_.count_numbered("proc");
    return reading;
}

Os LinuxSystemFacts::os() { return read_os(root_, *kernel_); }
Cpu LinuxSystemFacts::cpu() { return read_cpu(root_); }
Memory LinuxSystemFacts::memory() { return read_memory(root_); }
std::vector<Disk> LinuxSystemFacts::disks(std::size_t max) { return read_disks(root_, max); }

std::vector<Filesystem> LinuxSystemFacts::filesystems(std::size_t max) {
    return read_filesystems(root_, *kernel_, max);
}

std::vector<NetworkInterface> LinuxSystemFacts::interfaces(std::size_t max) {
    return read_interfaces(root_, *kernel_, max);
}

std::string LinuxSystemFacts::visit_packages(const PackageVisitor& visit) {
    return visit_dpkg_packages(root_, visit);
}

PackageStamp LinuxSystemFacts::package_stamp() { return dpkg_stamp(root_); }

std::unique_ptr<SystemFacts> make_system_facts(const std::string& root) {
    return std::make_unique<LinuxSystemFacts>(root, make_kernel_calls(root));
}

}  // namespace synapsex::platform
