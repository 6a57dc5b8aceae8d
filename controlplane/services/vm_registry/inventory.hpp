#pragma once

// What a VM is (inventory, by section) and how it does (telemetry samples), as plain structs: the
// shapes of /v1/vms, and what agent-registry makes of the agent's messages. Sizes are bytes. An
// agent cuts what it sends to no more than the limits here (agent/plugins/inventory/limits.hpp).

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "shared/base/bounded.hpp"
#include "shared/base/describe.hpp"
#include "shared/base/time.hpp"

namespace synapsex::vm_registry {

using NameText = Text<0, 255>;   // names, models, versions of systems
using WordText = Text<0, 64>;    // architectures, states, addresses
using PathText = Text<0, 1024>;  // mount points and their devices

struct Os {
    NameText id;
    NameText version_id;
    NameText pretty_name;
    NameText kernel_release;
    WordText architecture;
    NameText hostname;
    WordText machine_id_hash;
    NameText timezone;
    Timestamp booted_at{};
    WordText virtualization;
};
BOOST_DESCRIBE_STRUCT(
    Os, (),
    (id, version_id, pretty_name, kernel_release, architecture, hostname, machine_id_hash, timezone,
     booted_at, virtualization)
)

struct Cpu {
    NameText model;
    std::int64_t sockets = 0;
    std::int64_t cores = 0;
    std::int64_t threads = 0;
    std::int64_t mhz_max = 0;
};
BOOST_DESCRIBE_STRUCT(Cpu, (), (model, sockets, cores, threads, mhz_max))

struct Memory {
    std::int64_t total_bytes = 0;
    std::int64_t swap_total_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(Memory, (), (total_bytes, swap_total_bytes))

struct Disk {
    NameText name;
    std::int64_t size_bytes = 0;
    NameText model;
    bool rotational = false;
    bool removable = false;
};
BOOST_DESCRIBE_STRUCT(Disk, (), (name, size_bytes, model, rotational, removable))

struct Filesystem {
    PathText mount_point;
    PathText device;
    WordText type;
    std::int64_t size_bytes = 0;
    std::int64_t used_bytes = 0;
    std::int64_t inodes = 0;
    std::int64_t inodes_used = 0;
    bool read_only = false;
};
BOOST_DESCRIBE_STRUCT(
    Filesystem, (),
    (mount_point, device, type, size_bytes, used_bytes, inodes, inodes_used, read_only)
)

struct NetworkInterface {
    NameText name;
    WordText mac;
    List<WordText, 64> addresses;
    std::int64_t mtu = 0;
    WordText state;
    std::int64_t speed_megabits = 0;
};
BOOST_DESCRIBE_STRUCT(NetworkInterface, (), (name, mac, addresses, mtu, state, speed_megabits))

struct Package {
    NameText name;
    Text<0, 128> version;
    WordText architecture;
};
BOOST_DESCRIBE_STRUCT(Package, (), (name, version, architecture))

struct Disks {
    List<Disk, 256> disks;
};
BOOST_DESCRIBE_STRUCT(Disks, (), (disks))
// What lists show of them, bytes.
inline std::int64_t total_size(const Disks& disks) {
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    std::int64_t total = 0;
    for (const auto& disk : disks.disks) {
        const auto size = std::max<std::int64_t>(disk.size_bytes, 0);
        total = size > kMax - total ? kMax : total + size;
    }
    return total;
}
struct Filesystems {
    List<Filesystem, 512> filesystems;
};
BOOST_DESCRIBE_STRUCT(Filesystems, (), (filesystems))
struct Network {
    List<NetworkInterface, 256> interfaces;
};
BOOST_DESCRIBE_STRUCT(Network, (), (interfaces))
struct Packages {
    WordText manager;
    List<Package, 10'000> packages;
};
BOOST_DESCRIBE_STRUCT(Packages, (), (manager, packages))

// The names of sections, as in the route of agents and the `section` column.
enum class SectionName { os, cpu, memory, disks, filesystems, network, packages };
BOOST_DESCRIBE_ENUM(SectionName, os, cpu, memory, disks, filesystems, network, packages)

using SectionBody = std::variant<Os, Cpu, Memory, Disks, Filesystems, Network, Packages>;

// By which anybody can check later what the agent said: its key's signature over
// crypto::SectionReport.
struct SectionSignature {
    std::string content;     // what was signed: an InventorySection of agent.proto, serialized
    Timestamp signed_at{};
    std::string public_key;  // 32 bytes, Ed25519
    std::string signature;   // 64 bytes
};

// How far the agent's idea of the control plane's clock may be from it when it signs.
inline constexpr std::chrono::minutes kSigningSkewMax{5};

// One section as an agent sent it. The body's alternative is the one that the name says.
struct Section {
    SectionName name = SectionName::os;
    std::string hash;        // first 32 hex digits of the SHA-256 of the content
    bool truncated = false;  // the VM has more than an agent may send
    SectionBody body{};
    SectionSignature signature{};
};

// One slot of 15 s of wall-clock time. `slot` counts such slots since 1970. Rates are means over
// the slot; a permille is of all processors together.
struct TelemetrySample {
    std::int64_t slot = 0;
    std::int64_t load1_centi = 0;
    std::int64_t load5_centi = 0;
    std::int64_t load15_centi = 0;
    std::int64_t cpu_busy_permille = 0;
    std::int64_t cpu_iowait_permille = 0;
    std::int64_t cpu_steal_permille = 0;
    std::int64_t memory_total_bytes = 0;
    std::int64_t memory_available_bytes = 0;
    std::int64_t swap_total_bytes = 0;
    std::int64_t swap_used_bytes = 0;
    std::int64_t disk_read_bytes_per_second = 0;
    std::int64_t disk_write_bytes_per_second = 0;
    std::int64_t network_receive_bytes_per_second = 0;
    std::int64_t network_transmit_bytes_per_second = 0;
    std::int64_t filesystem_used_permille_max = 0;
    std::int64_t processes = 0;
    std::int64_t uptime_seconds = 0;

    friend bool operator==(const TelemetrySample&, const TelemetrySample&) = default;
};
BOOST_DESCRIBE_STRUCT(
    TelemetrySample, (),
    (slot, load1_centi, load5_centi, load15_centi, cpu_busy_permille, cpu_iowait_permille,
     cpu_steal_permille, memory_total_bytes, memory_available_bytes, swap_total_bytes,
     swap_used_bytes, disk_read_bytes_per_second, disk_write_bytes_per_second,
     network_receive_bytes_per_second, network_transmit_bytes_per_second,
     filesystem_used_permille_max, processes, uptime_seconds)
)

inline constexpr std::int64_t kSlotSeconds = 15;

constexpr Timestamp slot_start(std::int64_t slot) {
    return Timestamp{std::chrono::seconds{slot * kSlotSeconds}};
}
constexpr std::int64_t slot_of(Timestamp instant) {
    return std::chrono::floor<std::chrono::seconds>(instant.time_since_epoch()).count() /
           kSlotSeconds;
}
inline constexpr std::int64_t kSlotMax = slot_of(kInstantMax);

// Samples that are taken at once: what an agent spooled, in parts.
inline constexpr std::size_t kSamplesMax = 1000;

// How an agent, and so its VM, is doing: one word made from connectivity, condition, activity and
// admission by the table in agent_registry/presence.cpp.
enum class State {
    unknown,      // not heard of since the server started, and not yet overdue
    online,
    degraded,     // online, and says that something is wrong
    late,         // silent for more than 150 s
    offline,      // silent for more than 5 min, or said goodbye
    lost,         // silent for more than 24 h
    updating,
    rebooting,
    pending,      // enrolled, not yet admitted
    quarantined,  // admitted to nothing: a copy, or set aside by an operator
};
BOOST_DESCRIBE_ENUM(
    State, unknown, online, degraded, late, offline, lost, updating, rebooting, pending, quarantined
)

}  // namespace synapsex::vm_registry
