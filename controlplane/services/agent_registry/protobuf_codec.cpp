// The agent's messages, between protobuf and the described structs of api.hpp. Here alone the
// control plane includes generated code.

#include <algorithm>
#include <limits>

#include <google/protobuf/stubs/logging.h>

#include "agent/v1/agent.pb.h"
#include "controlplane/platform/api/field_problems.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex {

namespace pb = agent::v1;
using namespace agent_registry;

namespace {

Problem malformed() {
    return {Kind::invalid, "request.malformed", "The body is no message of the agent protocol."};
}

// Sizes are uint64 on the wire and int64 in the database; what does not fit is at its end.
std::int64_t to_signed(std::uint64_t value) {
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    return value > static_cast<std::uint64_t>(kMax) ? kMax : static_cast<std::int64_t>(value);
}

std::uint64_t to_unsigned(std::int64_t value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

std::uint32_t to_unsigned32(std::int64_t value) {
    constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, kMax));
}

// What a VM's administrator typed, or a damaged clock, is no reason to refuse all of a heartbeat.
std::optional<Timestamp> instant_of(std::int64_t micros) {
    if (micros == 0) return std::nullopt;
    return std::clamp(from_micros(micros), kInstantMin, kInstantMax);
}

vm_registry::TelemetrySample from_message(const pb::TelemetrySample& message) {
    return {
        .slot = message.slot(),
        .load1_centi = message.load1_centi(),
        .load5_centi = message.load5_centi(),
        .load15_centi = message.load15_centi(),
        .cpu_busy_permille = message.cpu_busy_permille(),
        .cpu_iowait_permille = message.cpu_iowait_permille(),
        .cpu_steal_permille = message.cpu_steal_permille(),
        .memory_total_bytes = to_signed(message.memory_total_bytes()),
        .memory_available_bytes = to_signed(message.memory_available_bytes()),
        .swap_total_bytes = to_signed(message.swap_total_bytes()),
        .swap_used_bytes = to_signed(message.swap_used_bytes()),
        .disk_read_bytes_per_second = to_signed(message.disk_read_bytes_per_second()),
        .disk_write_bytes_per_second = to_signed(message.disk_write_bytes_per_second()),
        .network_receive_bytes_per_second = to_signed(message.network_receive_bytes_per_second()),
        .network_transmit_bytes_per_second =
            to_signed(message.network_transmit_bytes_per_second()),
        .filesystem_used_permille_max = message.filesystem_used_permille_max(),
        .processes = message.processes(),
        .uptime_seconds = to_signed(message.uptime_seconds()),
    };
}

void to_message(const vm_registry::TelemetrySample& sample, pb::TelemetrySample& message) {
    message.set_slot(sample.slot);
    message.set_load1_centi(to_unsigned32(sample.load1_centi));
    message.set_load5_centi(to_unsigned32(sample.load5_centi));
    message.set_load15_centi(to_unsigned32(sample.load15_centi));
    message.set_cpu_busy_permille(to_unsigned32(sample.cpu_busy_permille));
    message.set_cpu_iowait_permille(to_unsigned32(sample.cpu_iowait_permille));
    message.set_cpu_steal_permille(to_unsigned32(sample.cpu_steal_permille));
    message.set_memory_total_bytes(to_unsigned(sample.memory_total_bytes));
    message.set_memory_available_bytes(to_unsigned(sample.memory_available_bytes));
    message.set_swap_total_bytes(to_unsigned(sample.swap_total_bytes));
    message.set_swap_used_bytes(to_unsigned(sample.swap_used_bytes));
    message.set_disk_read_bytes_per_second(to_unsigned(sample.disk_read_bytes_per_second));
    message.set_disk_write_bytes_per_second(to_unsigned(sample.disk_write_bytes_per_second));
    message.set_network_receive_bytes_per_second(
        to_unsigned(sample.network_receive_bytes_per_second)
    );
    message.set_network_transmit_bytes_per_second(
        to_unsigned(sample.network_transmit_bytes_per_second)
    );
    message.set_filesystem_used_permille_max(to_unsigned32(sample.filesystem_used_permille_max));
    message.set_processes(to_unsigned32(sample.processes));
    message.set_uptime_seconds(to_unsigned(sample.uptime_seconds));
}

vm_registry::Os from_message(const pb::Os& message) {
    return {
        .id = {message.id()},
        .version_id = {message.version_id()},
        .pretty_name = {message.pretty_name()},
        .kernel_release = {message.kernel_release()},
        .architecture = {message.architecture()},
        .hostname = {message.hostname()},
        .machine_id_hash = {message.machine_id_hash()},
        .timezone = {message.timezone()},
        .booted_at = from_micros(message.booted_at_us()),
        .virtualization = {message.virtualization()},
    };
}

vm_registry::Cpu from_message(const pb::Cpu& message) {
    return {
        {message.model()}, message.sockets(), message.cores(), message.threads(), message.mhz_max()
    };
}

vm_registry::Memory from_message(const pb::Memory& message) {
    return {to_signed(message.total_bytes()), to_signed(message.swap_total_bytes())};
}

vm_registry::Disks from_message(const pb::Disks& message) {
    vm_registry::Disks disks;
    for (const auto& disk : message.disks())
        disks.disks.push_back(
            {{disk.name()}, to_signed(disk.size_bytes()), {disk.model()}, disk.rotational(),
             disk.removable()}
        );
    return disks;
}

vm_registry::Filesystems from_message(const pb::Filesystems& message) {
    vm_registry::Filesystems filesystems;
    for (const auto& filesystem : message.filesystems())
        filesystems.filesystems.push_back(
            {{filesystem.mount_point()}, {filesystem.device()}, {filesystem.type()},
             to_signed(filesystem.size_bytes()), to_signed(filesystem.used_bytes()),
             to_signed(filesystem.inodes()), to_signed(filesystem.inodes_used()),
             filesystem.read_only()}
        );
    return filesystems;
}

vm_registry::Network from_message(const pb::Network& message) {
    vm_registry::Network network;
    for (const auto& interface : message.interfaces()) {
        auto& added = network.interfaces.emplace_back();
        added.name = {interface.name()};
        added.mac = {interface.mac()};
        for (const auto& address : interface.addresses()) added.addresses.push_back({address});
        added.mtu = interface.mtu();
        added.state = {interface.state()};
        added.speed_megabits = to_signed(interface.speed_megabits());
    }
    return network;
}

vm_registry::Packages from_message(const pb::Packages& message) {
    vm_registry::Packages packages{{message.manager()}, {}};
    packages.packages.reserve(static_cast<std::size_t>(message.packages_size()));
    for (const auto& package : message.packages())
        packages.packages.push_back(
            {{package.name()}, {package.version()}, {package.architecture()}}
        );
    return packages;
}

// An empty element is two bytes in a message and a hundred when converted, so elements are counted
// before. All else is checked after, by the limits that the members' types carry.
template <class Bounded>
Result<Done> check_count(int count, std::string_view pointer) {
    if (static_cast<std::size_t>(count) <= Bounded::kMax) return Done{};
    api::FieldProblems problems;
    const auto max = std::to_string(Bounded::kMax);
    problems.add(std::string{pointer}, {"too_many_items", "must have at most " + max + " items"});
    return std::move(problems).into_problem();
}

Result<Done> check_counts(const pb::HeartbeatRequest& message) {
    SYNAPSEX_CHECK(check_count<decltype(Heartbeat::capabilities)>(
        message.capabilities_size(), "/capabilities"
    ));
    SYNAPSEX_CHECK(check_count<decltype(Heartbeat::hashes)>(message.hashes_size(), "/hashes"));
    return check_count<decltype(Heartbeat::telemetry)>(message.telemetry_size(), "/telemetry");
}

Result<Done> check_counts(const pb::InventorySection& message) {
    SYNAPSEX_CHECK(check_count<decltype(vm_registry::Disks::disks)>(
        message.disks().disks_size(), "/disks/disks"
    ));
    SYNAPSEX_CHECK(check_count<decltype(vm_registry::Filesystems::filesystems)>(
        message.filesystems().filesystems_size(), "/filesystems/filesystems"
    ));
    SYNAPSEX_CHECK(check_count<decltype(vm_registry::Network::interfaces)>(
        message.network().interfaces_size(), "/network/interfaces"
    ));
    for (int i = 0; i < message.network().interfaces_size(); ++i)
        SYNAPSEX_CHECK(check_count<decltype(vm_registry::NetworkInterface::addresses)>(
            message.network().interfaces(i).addresses_size(),
            "/network/interfaces/" + std::to_string(i) + "/addresses"
        ));
    return check_count<decltype(vm_registry::Packages::packages)>(
        message.packages().packages_size(), "/packages/packages"
    );
}

template <class Message>
bool parse(Message& message, std::string_view bytes) {
    // It would write a line of its own to standard error, among ours, for text that is no UTF-8.
    [[maybe_unused]] static const auto previous = google::protobuf::SetLogHandler(nullptr);
    return bytes.size() <= std::numeric_limits<int>::max() &&
           message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

Result<Done> api::ProtobufCodec<Heartbeat>::decode(std::string_view bytes, Heartbeat& heartbeat) {
    pb::HeartbeatRequest message;
    if (!parse(message, bytes)) return malformed();
    SYNAPSEX_CHECK(check_counts(message));
    heartbeat.sequence = to_signed(message.sequence());
    heartbeat.boot_id = message.boot_id();
    heartbeat.agent_version = message.agent_version();
    heartbeat.capabilities.assign(message.capabilities().begin(), message.capabilities().end());
    heartbeat.hold_seconds = message.hold_seconds();
    for (const auto& hash : message.hashes()) {
        // A section of a newer agent: not known here, so not asked for.
        const auto section = parse_enum<SectionName>(hash.section());
        if (section) heartbeat.hashes.push_back({*section, {hash.hash()}});
    }
    heartbeat.telemetry.reserve(static_cast<std::size_t>(message.telemetry_size()));
    for (const auto& sample : message.telemetry())
        heartbeat.telemetry.push_back(from_message(sample));
    heartbeat.spool_dropped_samples = to_signed(message.spool_dropped_samples());
    heartbeat.goodbye = message.goodbye();
    heartbeat.server_incarnation = message.server_incarnation();
    heartbeat.executor = message.executor();
    if (message.has_pause()) {
        auto& pause = heartbeat.pause.emplace();
        pause.since = instant_of(message.pause().since_us());
        pause.until = instant_of(message.pause().until_us());
        pause.reason = message.pause().reason();
    }
    return Done{};
}

void api::ProtobufCodec<Heartbeat>::encode(const Heartbeat& heartbeat, std::string& out) {
    pb::HeartbeatRequest message;
    message.set_sequence(to_unsigned(heartbeat.sequence));
    message.set_boot_id(heartbeat.boot_id);
    message.set_agent_version(heartbeat.agent_version);
    for (const auto number : heartbeat.capabilities)
        message.add_capabilities(to_unsigned32(number));
    message.set_hold_seconds(to_unsigned32(heartbeat.hold_seconds));
    for (const auto& [section, hash] : heartbeat.hashes) {
        auto& added = *message.add_hashes();
        added.set_section(std::string{enum_name(section)});
        added.set_hash(hash.value);
    }
    for (const auto& sample : heartbeat.telemetry) to_message(sample, *message.add_telemetry());
    message.set_spool_dropped_samples(to_unsigned(heartbeat.spool_dropped_samples));
    message.set_goodbye(heartbeat.goodbye);
    message.set_server_incarnation(heartbeat.server_incarnation);
    message.set_executor(heartbeat.executor);
    if (heartbeat.pause) {
        auto& pause = *message.mutable_pause();
        if (heartbeat.pause->since) pause.set_since_us(to_micros(*heartbeat.pause->since));
        if (heartbeat.pause->until) pause.set_until_us(to_micros(*heartbeat.pause->until));
        pause.set_reason(heartbeat.pause->reason);
    }
    message.AppendToString(&out);
}

Result<Done> api::ProtobufCodec<HeartbeatAnswer>::decode(
    std::string_view bytes, HeartbeatAnswer& answer
) {
    pb::HeartbeatAnswer message;
    if (!parse(message, bytes)) return malformed();
    answer.server_time = from_micros(message.server_time_us());
    answer.server_incarnation = message.server_incarnation();
    answer.stored_through_slot = message.stored_through_slot();
    for (const auto& name : message.want_sections())
        if (const auto section = parse_enum<SectionName>(name))
            answer.want_sections.push_back(*section);
    answer.next_after_ms = message.next_after_ms();
    answer.hold_seconds = message.hold_seconds();
    if (message.live_until_us() != 0) answer.live_until = from_micros(message.live_until_us());
    answer.rotate_key = message.rotate_key();
    answer.reason = message.reason();
    return Done{};
}

void api::ProtobufCodec<HeartbeatAnswer>::encode(const HeartbeatAnswer& answer, std::string& out) {
    pb::HeartbeatAnswer message;
    message.set_server_time_us(to_micros(answer.server_time));
    message.set_server_incarnation(answer.server_incarnation);
    message.set_stored_through_slot(answer.stored_through_slot);
    for (const auto section : answer.want_sections)
        message.add_want_sections(std::string{enum_name(section)});
    message.set_next_after_ms(to_unsigned32(answer.next_after_ms));
    message.set_hold_seconds(to_unsigned32(answer.hold_seconds));
    if (answer.live_until) message.set_live_until_us(to_micros(*answer.live_until));
    message.set_rotate_key(answer.rotate_key);
    message.set_reason(answer.reason);
    message.AppendToString(&out);
}

Result<Done> api::ProtobufCodec<PutInventory>::decode(
    std::string_view bytes, PutInventory& inventory
) {
    pb::SignedSection message;
    if (!parse(message, bytes)) return malformed();
    inventory.content.value = crypto::to_base64url(message.content());
    inventory.signed_at = from_micros(message.signed_at_us());
    inventory.key_id.value = message.key_id();
    inventory.signature.value = crypto::to_base64url(message.signature());
    return Done{};
}

Result<Done> api::ProtobufCodec<InventoryContent>::decode(
    std::string_view bytes, InventoryContent& content
) {
    pb::InventorySection message;
    if (!parse(message, bytes)) return malformed();
    SYNAPSEX_CHECK(check_counts(message));
    content.truncated = message.truncated();
    if (message.has_os()) content.os = from_message(message.os());
    if (message.has_cpu()) content.cpu = from_message(message.cpu());
    if (message.has_memory()) content.memory = from_message(message.memory());
    if (message.has_disks()) content.disks = from_message(message.disks());
    if (message.has_filesystems()) content.filesystems = from_message(message.filesystems());
    if (message.has_network()) content.network = from_message(message.network());
    if (message.has_packages()) content.packages = from_message(message.packages());
    return Done{};
}

}  // namespace synapsex
