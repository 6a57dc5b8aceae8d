#pragma once

// What the agent can learn about the machine it runs on. This header is the same for every
// operating system; a folder beside it (linux/) implements it, and the build links one of them.
//
// Nothing here fails. What a machine does not have, does not show to us, or shows as garbage is an
// empty text, a zero or a missing element: an agent in a stripped container must still report the
// rest. Nothing here waits for another machine either: network and user-space file systems are
// never asked anything. Texts are as the system gave them, of any bytes; whoever sends them cleans
// them.
//
// Used by one thread at a time.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace synapsex::platform {

struct Os {
    std::string id;              // os-release ID: "debian"
    std::string version_id;      // "12"; empty on rolling releases
    std::string pretty_name;
    std::string kernel_release;  // uname -r
    std::string architecture;    // uname -m
    std::string hostname;
    std::string machine_id_hash;  // SHA-256 of the machine id in hex: the id itself is confidential
    std::string timezone;         // "Europe/Berlin"
    std::int64_t booted_at_us = 0;
    std::string virtualization;  // "kvm", "docker", "none"; empty: unknown

    friend bool operator==(const Os&, const Os&) = default;
};

struct Cpu {
    std::string model;
    std::uint32_t sockets = 0;
    std::uint32_t cores = 0;
    std::uint32_t threads = 0;
    std::uint32_t mhz_max = 0;  // nominal, never the clock of this moment; 0: unknown

    friend bool operator==(const Cpu&, const Cpu&) = default;
};

struct Memory {
    std::uint64_t total_bytes = 0;
    std::uint64_t swap_total_bytes = 0;

    friend bool operator==(const Memory&, const Memory&) = default;
};

// A whole disk, physical as far as this machine can see (a VM's virtual disk is one).
struct Disk {
    std::string name;  // "vda"
    std::uint64_t size_bytes = 0;
    std::string model;
    bool rotational = false;  // as the kernel believes: often wrong for virtual disks
    bool removable = false;

    friend bool operator==(const Disk&, const Disk&) = default;
};

// A local file system on a disk, once, however often it is mounted.
struct Filesystem {
    std::string mount_point;
    std::string device;
    std::string type;
    std::uint64_t size_bytes = 0;
    std::uint64_t used_bytes = 0;
    std::uint64_t available_bytes = 0;  // to ordinary users; used + available may be below size
    std::uint64_t inodes = 0;           // 0: the file system does not count them
    std::uint64_t inodes_used = 0;
    bool read_only = false;  // the file system itself, not one view of it

    friend bool operator==(const Filesystem&, const Filesystem&) = default;
};

struct NetworkInterface {
    std::string name;
    std::string mac;
    std::vector<std::string> addresses;  // "192.0.2.7/24", "2001:db8::7/64"; sorted
    std::uint32_t mtu = 0;
    std::string state;  // "up", "down", "unknown"
    std::uint64_t speed_megabits = 0;  // 0: unknown

    friend bool operator==(const NetworkInterface&, const NetworkInterface&) = default;
};

// Valid during the call of the visitor only.
struct PackageView {
    std::string_view name;
    std::string_view version;
    std::string_view architecture;
};
using PackageVisitor = std::function<void(const PackageView&)>;

// Changes whenever the set of installed packages may have changed; cheap to read.
struct PackageStamp {
    std::int64_t modified_at_ns = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t file = 0;

    friend bool operator==(const PackageStamp&, const PackageStamp&) = default;
};

// Time of all processors together since boot, in ticks of a fixed but unstated length. The four
// do not overlap; their sum is all time. Time spent running guests counts as busy.
struct CpuTimes {
    std::uint64_t busy = 0;
    std::uint64_t iowait = 0;
    std::uint64_t steal = 0;
    std::uint64_t idle = 0;
};

// Bytes moved by one disk or network interface since it appeared.
struct DeviceCounters {
    std::string name;
    std::uint64_t in_bytes = 0;   // read, received
    std::uint64_t out_bytes = 0;  // written, transmitted
};

// One look at everything that moves. Counters, not rates: those need two readings. A counter that
// could not be read is absent, because a zero would look like a restart.
struct Reading {
    std::uint32_t load1_centi = 0;  // load average times 100
    std::uint32_t load5_centi = 0;
    std::uint32_t load15_centi = 0;
    std::optional<CpuTimes> cpu;
    std::uint64_t memory_total_bytes = 0;
    std::uint64_t memory_available_bytes = 0;
    std::uint64_t swap_total_bytes = 0;
    std::uint64_t swap_used_bytes = 0;
    std::vector<DeviceCounters> disks;  // each byte counted on one of them
    std::vector<DeviceCounters> links;  // each byte counted on one of them
    // Used share of the fullest writable local file system: the Use% of `df`, before rounding.
    std::uint32_t filesystem_used_permille_max = 0;
    std::uint32_t processes = 0;  // that the agent's user may see
    std::uint64_t uptime_seconds = 0;
};

class SystemFacts {
 public:
    virtual ~SystemFacts() = default;

    // Differs after each boot; empty if the system has no such thing.
    virtual std::string boot_id() = 0;
    virtual Reading take_reading() = 0;

    virtual Os os() = 0;
    virtual Cpu cpu() = 0;
    virtual Memory memory() = 0;
    // At most `max` elements, in the order of their names, so that it is always the same ones.
    virtual std::vector<Disk> disks(std::size_t max) = 0;
    virtual std::vector<Filesystem> filesystems(std::size_t max) = 0;
    virtual std::vector<NetworkInterface> interfaces(std::size_t max) = 0;

    // Shows every installed package, in no promised order, without holding them in memory. Returns
    // the package manager's name ("dpkg"), or an empty text if none is known here.
    virtual std::string visit_packages(const PackageVisitor& visit) = 0;
    virtual PackageStamp package_stamp() = 0;
};

// The facts of this machine. Another `root` is for tests that show it a made-up system. Throws
// std::system_error if there is no such directory.
std::unique_ptr<SystemFacts> make_system_facts(const std::string& root = "/");

}  // namespace synapsex::platform
