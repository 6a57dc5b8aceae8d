#pragma once

// /v1/vms: the machines, what they are and how they do. What an agent says of its VM is
// `reported`; it authorises nothing.

#include <optional>
#include <string>
#include <vector>

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/api/page.hpp"
#include "controlplane/services/vm_registry/inventory.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/ids.hpp"

namespace synapsex::vm_registry {

// A sample as /v1 shows it.
struct TelemetryPoint {
    Timestamp at{};  // start of the slot of 15 s
    double load1 = 0;
    double load5 = 0;
    double load15 = 0;
    double cpu_busy_percent = 0;
    double cpu_iowait_percent = 0;
    double cpu_steal_percent = 0;
    std::int64_t memory_total_bytes = 0;
    std::int64_t memory_available_bytes = 0;
    std::int64_t swap_total_bytes = 0;
    std::int64_t swap_used_bytes = 0;
    std::int64_t disk_read_bytes_per_second = 0;
    std::int64_t disk_write_bytes_per_second = 0;
    std::int64_t network_receive_bytes_per_second = 0;
    std::int64_t network_transmit_bytes_per_second = 0;
    double filesystem_used_percent_max = 0;
    std::int64_t processes = 0;
    std::int64_t uptime_seconds = 0;
};
BOOST_DESCRIBE_STRUCT(
    TelemetryPoint, (),
    (at, load1, load5, load15, cpu_busy_percent, cpu_iowait_percent, cpu_steal_percent,
     memory_total_bytes, memory_available_bytes, swap_total_bytes, swap_used_bytes,
     disk_read_bytes_per_second, disk_write_bytes_per_second, network_receive_bytes_per_second,
     network_transmit_bytes_per_second, filesystem_used_percent_max, processes, uptime_seconds)
)

// What a list shows of a VM.
struct VmSummary {
    VmId id{};
    AgentId agent_id{};
    std::string name{};
    State state = State::unknown;
    std::optional<Timestamp> last_seen_at{};
    std::string os{};            // "Debian GNU/Linux 12 (bookworm)"
    std::string kernel{};
    std::string architecture{};
    std::int64_t cpu_threads = 0;
    std::int64_t memory_total_bytes = 0;
    std::int64_t disk_total_bytes = 0;
    std::int64_t packages = 0;
    std::optional<TelemetryPoint> latest{};
    Timestamp created_at{};
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(
    VmSummary, (),
    (id, agent_id, name, state, last_seen_at, os, kernel, architecture, cpu_threads,
     memory_total_bytes, disk_total_bytes, packages, latest, created_at, updated_at)
)

struct SectionInfo {
    SectionName section = SectionName::os;
    std::string hash{};
    bool truncated = false;
    Timestamp updated_at{};
    std::optional<Timestamp> signed_at{};  // null: it is not signed
    std::optional<std::string> key_id{};
};
BOOST_DESCRIBE_STRUCT(SectionInfo, (), (section, hash, truncated, updated_at, signed_at, key_id))

// All sections but packages, which have a list of their own.
struct Inventory {
    std::optional<Os> os{};
    std::optional<Cpu> cpu{};
    std::optional<Memory> memory{};
    std::vector<Disk> disks{};
    std::vector<Filesystem> filesystems{};
    std::vector<NetworkInterface> network{};
    std::vector<SectionInfo> sections{};
};
BOOST_DESCRIBE_STRUCT(
    Inventory, (),
    (os, cpu, memory, disks, filesystems, network, sections)
)

struct Vm : VmSummary {
    Inventory reported{};
};
BOOST_DESCRIBE_STRUCT(Vm, (VmSummary), (reported))

struct ListVms {
    api::PageLimit limit{};
    std::optional<api::Cursor> cursor{};
    std::optional<State> state{};
    std::optional<Text<1, 100>> name{};
};
BOOST_DESCRIBE_STRUCT(ListVms, (), (limit, cursor, state, name))

struct VmPage {
    std::vector<VmSummary> items{};
    std::optional<std::string> next_cursor{};
};
BOOST_DESCRIBE_STRUCT(VmPage, (), (items, next_cursor))

struct VmPath {
    VmId vm_id{};
};
BOOST_DESCRIBE_STRUCT(VmPath, (), (vm_id))

struct ListPackages {
    VmId vm_id{};
    api::PageLimit limit{};
    std::optional<api::Cursor> cursor{};
    std::optional<Text<1, 200>> prefix{};
};
BOOST_DESCRIBE_STRUCT(ListPackages, (), (vm_id, limit, cursor, prefix))

struct PackagePage {
    std::vector<Package> items{};
    std::optional<std::string> next_cursor{};
};
BOOST_DESCRIBE_STRUCT(PackagePage, (), (items, next_cursor))

struct SectionPath {
    VmId vm_id{};
    SectionName section = SectionName::os;
};
BOOST_DESCRIBE_STRUCT(SectionPath, (), (vm_id, section))

// A section as its agent signed it. Bytes are in base64url without padding.
struct SignedSection {
    VmId vm_id{};
    AgentId agent_id{};
    SectionName section = SectionName::os;
    Timestamp signed_at{};
    std::string key_id{};
    std::string public_key{};  // Ed25519, 32 bytes
    std::string statement{};   // the text that is signed; its last line is of the content
    std::string signature{};   // 64 bytes
    std::string content{};     // InventorySection of shared/proto/agent/v1/agent.proto
};
BOOST_DESCRIBE_STRUCT(
    SignedSection, (),
    (vm_id, agent_id, section, signed_at, key_id, public_key, statement, signature, content)
)

struct ReadTelemetry {
    VmId vm_id{};
    std::optional<Timestamp> from{};
    std::optional<Timestamp> to{};
    Default<Int<1, 1000>, 240> limit{};
    std::optional<api::Cursor> cursor{};
};
BOOST_DESCRIBE_STRUCT(ReadTelemetry, (), (vm_id, from, to, limit, cursor))

struct TelemetryPage {
    std::vector<TelemetryPoint> items{};
    std::optional<std::string> next_cursor{};
};
BOOST_DESCRIBE_STRUCT(TelemetryPage, (), (items, next_cursor))

struct WatchVm {
    VmId vm_id{};
    Default<Int<15, 300>, 60> seconds{};
};
BOOST_DESCRIBE_STRUCT(WatchVm, (), (vm_id, seconds))

struct Watching {
    Timestamp live_until{};
};
BOOST_DESCRIBE_STRUCT(Watching, (), (live_until))

inline constexpr api::Operation<ListVms, VmPage> kListVms{
    .id = "vms.list", .path = "/v1/vms", .access = auth::user("vms.read"),
    .summary = "List VMs with their state and latest telemetry."};
inline constexpr api::Operation<VmPath, Vm> kGetVm{
    .id = "vms.get", .path = "/v1/vms/{vmId}", .access = auth::user("vms.read"),
    .summary = "Read a VM and what its agent reported of it."};
inline constexpr api::Operation<ListPackages, PackagePage> kListPackages{
    .id = "vms.packages.list", .path = "/v1/vms/{vmId}/packages", .access = auth::user("vms.read"),
    .summary = "List the packages installed on a VM, by name."};
inline constexpr api::Operation<SectionPath, SignedSection> kGetSignedSection{
    .id = "vms.inventory.signature", .path = "/v1/vms/{vmId}/inventory/{section}/signature",
    .access = auth::user("vms.read"),
    .summary = "Read a section of the inventory as the agent signed it.",
    .description = "Proves what the VM's agent said, and when, without trusting this server: check "
                   "the Ed25519 `signature` over `statement`, that the statement names the agent "
                   "and the section, and that its last line is the SHA-256 of `content`."};
inline constexpr api::Operation<ReadTelemetry, TelemetryPage> kReadTelemetry{
    .id = "vms.telemetry.read", .path = "/v1/vms/{vmId}/telemetry",
    .access = auth::user("vms.read"),
    .summary = "Read a VM's telemetry, oldest first, one point for each slot of 15 s.",
    .description = "Without `from`, the last hour. Slots in which the agent did not live are "
                   "missing, never invented."};
inline constexpr api::Operation<WatchVm, Watching> kWatchVm{
    .id = "vms.watch", .method = api::Verb::post, .path = "/v1/vms/{vmId}/watch",
    .access = auth::in_any_standing(auth::user("vms.read")), .replay = api::Replay::natural,
    .summary = "Ask for a VM's telemetry as it is sampled, for a while.",
    .description = "Until `liveUntil` the agent sends each slot at once, instead of with its next "
                   "heartbeat (up to about 70 s later). Repeat to go on."};

}  // namespace synapsex::vm_registry
