#include "agent/transport/inventory_codec.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "agent/v1/agent.pb.h"
#include "shared/crypto/agent_statements.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::agent {
namespace {

constexpr std::size_t kHashDigits = 32;

void fill(const platform::Os& os, v1::InventorySection& message) {
    auto& to = *message.mutable_os();
    to.set_id(os.id);
    to.set_version_id(os.version_id);
    to.set_pretty_name(os.pretty_name);
    to.set_kernel_release(os.kernel_release);
    to.set_architecture(os.architecture);
    to.set_hostname(os.hostname);
    to.set_machine_id_hash(os.machine_id_hash);
    to.set_timezone(os.timezone);
    to.set_booted_at_us(os.booted_at_us);
    to.set_virtualization(os.virtualization);
}

void fill(const platform::Cpu& cpu, v1::InventorySection& message) {
    auto& to = *message.mutable_cpu();
    to.set_model(cpu.model);
    to.set_sockets(cpu.sockets);
    to.set_cores(cpu.cores);
    to.set_threads(cpu.threads);
    to.set_mhz_max(cpu.mhz_max);
}

void fill(const platform::Memory& memory, v1::InventorySection& message) {
    auto& to = *message.mutable_memory();
    to.set_total_bytes(memory.total_bytes);
    to.set_swap_total_bytes(memory.swap_total_bytes);
}

void fill(const inventory::Disks& section, v1::InventorySection& message) {
    auto& disks = *message.mutable_disks();
    for (const auto& disk : section.disks) {
        auto& to = *disks.add_disks();
        to.set_name(disk.name);
        to.set_size_bytes(disk.size_bytes);
        to.set_model(disk.model);
        to.set_rotational(disk.rotational);
        to.set_removable(disk.removable);
    }
}

void fill(const inventory::Filesystems& section, v1::InventorySection& message) {
    auto& filesystems = *message.mutable_filesystems();
    for (const auto& each : section.filesystems) {
        auto& to = *filesystems.add_filesystems();
        to.set_mount_point(each.mount_point);
        to.set_device(each.device);
        to.set_type(each.type);
        to.set_size_bytes(each.size_bytes);
        to.set_used_bytes(each.used_bytes);
        to.set_inodes(each.inodes);
        to.set_inodes_used(each.inodes_used);
        to.set_read_only(each.read_only);
    }
}

void fill(const inventory::Network& section, v1::InventorySection& message) {
    auto& network = *message.mutable_network();
    for (const auto& interface : section.interfaces) {
        auto& to = *network.add_interfaces();
        to.set_name(interface.name);
        to.set_mac(interface.mac);
        for (const auto& address : interface.addresses) to.add_addresses(address);
        to.set_mtu(interface.mtu);
        to.set_state(interface.state);
        to.set_speed_megabits(interface.speed_megabits);
    }
}

template <class Content>
std::string serialize(const Content& content, bool truncated) {
    v1::InventorySection message;
    fill(content, message);
    message.set_truncated(truncated);
    return message.SerializeAsString();
}

// Shows the list as messages of one package each. A Packages message of a single package serializes
// to just the bytes that this package has in the message of them all.
template <class Visit>
void for_each_piece(const inventory::Packages& section, Visit visit) {
    v1::Packages piece;
    piece.set_manager(section.manager);
    visit(piece);
    piece.clear_manager();
    auto& to = *piece.add_packages();
    for (const auto& package : section.packages) {
        to.set_name(package.name);
        to.set_version(package.version);
        to.set_architecture(package.architecture);
        visit(piece);
    }
}

// The same bytes as of one message with thousands of packages, without building it: written twice,
// first to know the size, then into place.
std::string serialize(const inventory::Packages& section, bool truncated) {
    constexpr std::uint32_t kLengthDelimited = 2;
    constexpr std::uint32_t kTag =
        v1::InventorySection::kPackagesFieldNumber << 3 | kLengthDelimited;
    std::size_t size = 0;
    for_each_piece(section, [&](const v1::Packages& piece) { size += piece.ByteSizeLong(); });

    std::string bytes;
    bytes.reserve(size + 16);  // tag and size before, `truncated` after
    {
        google::protobuf::io::StringOutputStream stream{&bytes};
        google::protobuf::io::CodedOutputStream out{&stream};
        out.WriteTag(kTag);
        out.WriteVarint32(static_cast<std::uint32_t>(size));
    }
    for_each_piece(section, [&](const v1::Packages& piece) { piece.AppendToString(&bytes); });
    v1::InventorySection rest;
    rest.set_truncated(truncated);
    rest.AppendToString(&bytes);
    return bytes;
}

}  // namespace

EncodedSection encode_section(const inventory::Section& section) {
    EncodedSection encoded;
    encoded.bytes = std::visit(
        [&](const auto& content) { return serialize(content, section.truncated); }, section.content
    );
    encoded.hash = crypto::sha256_hex(encoded.bytes).substr(0, kHashDigits);
    return encoded;
}

std::string encode_signed(const ReportedSection& report, const crypto::Ed25519Key& key) {
    const auto statement = crypto::statement_of(crypto::SectionReport{
        .agent_id = report.agent_id.text(),
        .section = report.section,
        .signed_at_us = to_micros(report.signed_at),
        .content = report.content,
    });
    v1::SignedSection message;
    message.set_content(report.content);
    message.set_signed_at_us(to_micros(report.signed_at));
    message.set_key_id(key.key_id());
    message.set_signature(key.sign(statement));
    return message.SerializeAsString();
}

}  // namespace synapsex::agent
