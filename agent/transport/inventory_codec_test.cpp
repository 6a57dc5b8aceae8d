#include "agent/transport/inventory_codec.hpp"

#include <gtest/gtest.h>

#include "agent/v1/agent.pb.h"
#include "shared/crypto/hash.hpp"

namespace synapsex::agent {
namespace {

v1::InventorySection parse(const EncodedSection& encoded) {
    v1::InventorySection message;
    EXPECT_TRUE(message.ParseFromString(encoded.bytes));
    return message;
}

// The bytes are what protobuf itself would write, and the hash is theirs.
void expect_canonical(const EncodedSection& encoded) {
    EXPECT_EQ(parse(encoded).SerializeAsString(), encoded.bytes);
    EXPECT_EQ(crypto::sha256_hex(encoded.bytes).substr(0, 32), encoded.hash);
}

inventory::Section packages_section(std::size_t count) {
    inventory::Packages section{.manager = "dpkg", .packages = {}};
    for (std::size_t i = 0; i < count; ++i)
        section.packages.push_back(
            {"package-" + std::to_string(i), "1:2.0-" + std::to_string(i), "all"}
        );
    return {.content = std::move(section)};
}

TEST(InventoryCodec, os_carries_every_member) {
    const platform::Os os{
        .id = "debian",
        .version_id = "12",
        .pretty_name = "Debian GNU/Linux 12",
        .kernel_release = "6.1.0",
        .architecture = "x86_64",
        .hostname = "web-1",
        .machine_id_hash = "abc",
        .timezone = "Europe/Berlin",
        .booted_at_us = 7,
        .virtualization = "kvm"};
    const auto encoded = encode_section({.content = os});
    const auto message = parse(encoded);
    EXPECT_EQ(message.section_case(), v1::InventorySection::kOs);
    EXPECT_EQ(message.os().id(), "debian");
    EXPECT_EQ(message.os().version_id(), "12");
    EXPECT_EQ(message.os().pretty_name(), "Debian GNU/Linux 12");
    EXPECT_EQ(message.os().kernel_release(), "6.1.0");
    EXPECT_EQ(message.os().architecture(), "x86_64");
    EXPECT_EQ(message.os().hostname(), "web-1");
    EXPECT_EQ(message.os().machine_id_hash(), "abc");
    EXPECT_EQ(message.os().timezone(), "Europe/Berlin");
    EXPECT_EQ(message.os().booted_at_us(), 7);
    EXPECT_EQ(message.os().virtualization(), "kvm");
    EXPECT_FALSE(message.truncated());
    expect_canonical(encoded);
}

TEST(InventoryCodec, cpu_memory_and_disks_carry_every_member) {
    const auto cpu =
        parse(encode_section(
                  {.content =
                       platform::Cpu{
                           .model = "m", .sockets = 1, .cores = 2, .threads = 4, .mhz_max = 8}}
              )
        ).cpu();
    EXPECT_EQ(cpu.model(), "m");
    EXPECT_EQ(cpu.sockets(), 1U);
    EXPECT_EQ(cpu.cores(), 2U);
    EXPECT_EQ(cpu.threads(), 4U);
    EXPECT_EQ(cpu.mhz_max(), 8U);
    const auto memory = parse(encode_section({.content = platform::Memory{1, 2}})).memory();
    EXPECT_EQ(memory.total_bytes(), 1U);
    EXPECT_EQ(memory.swap_total_bytes(), 2U);
    const auto disks = parse(encode_section(
        {.content =
             inventory::Disks{{{"vda", 9, "QEMU", true, false}, {"sdb", 8, "", false, true}}}}
    ));
    ASSERT_EQ(disks.disks().disks_size(), 2);
    EXPECT_EQ(disks.disks().disks(0).name(), "vda");
    EXPECT_EQ(disks.disks().disks(0).size_bytes(), 9U);
    EXPECT_EQ(disks.disks().disks(0).model(), "QEMU");
    EXPECT_TRUE(disks.disks().disks(0).rotational());
    EXPECT_TRUE(disks.disks().disks(1).removable());
}

TEST(InventoryCodec, filesystems_and_network_carry_every_member) {
    const platform::Filesystem filesystem{
        .mount_point = "/",
        .device = "/dev/vda1",
        .type = "ext4",
        .size_bytes = 1,
        .used_bytes = 2,
        .available_bytes = 99,
        .inodes = 3,
        .inodes_used = 4,
        .read_only = true};
    const auto filesystems =
        parse(encode_section({.content = inventory::Filesystems{{filesystem}}}));
    ASSERT_EQ(filesystems.filesystems().filesystems_size(), 1);
    const auto& first = filesystems.filesystems().filesystems(0);
    EXPECT_EQ(first.mount_point(), "/");
    EXPECT_EQ(first.device(), "/dev/vda1");
    EXPECT_EQ(first.type(), "ext4");
    EXPECT_EQ(first.size_bytes(), 1U);
    EXPECT_EQ(first.used_bytes(), 2U);
    EXPECT_EQ(first.inodes(), 3U);
    EXPECT_EQ(first.inodes_used(), 4U);
    EXPECT_TRUE(first.read_only());
    const platform::NetworkInterface card{
        .name = "eth0",
        .mac = "52:54:00:12:34:56",
        .addresses = {"192.0.2.7/24", "fe80::1/64"},
        .mtu = 1500,
        .state = "up",
        .speed_megabits = 1000};
    const auto network = parse(encode_section({.content = inventory::Network{{card}}}));
    const auto& interface = network.network().interfaces(0);
    EXPECT_EQ(interface.name(), "eth0");
    EXPECT_EQ(interface.mac(), "52:54:00:12:34:56");
    EXPECT_EQ(interface.addresses_size(), 2);
    EXPECT_EQ(interface.mtu(), 1500U);
    EXPECT_EQ(interface.state(), "up");
    EXPECT_EQ(interface.speed_megabits(), 1000U);
}

// The list is written piece by piece; it must be what protobuf itself would write.
TEST(InventoryCodec, packages_are_encoded_as_one_message) {
    for (const std::size_t count : {0U, 1U, 3U, 2000U}) {
        auto section = packages_section(count);
        section.truncated = count == 3;
        const auto encoded = encode_section(section);
        const auto message = parse(encoded);
        ASSERT_EQ(message.section_case(), v1::InventorySection::kPackages);
        EXPECT_EQ(message.packages().manager(), "dpkg");
        EXPECT_EQ(message.packages().packages_size(), static_cast<int>(count));
        EXPECT_EQ(message.truncated(), section.truncated);
        expect_canonical(encoded);
    }
    const auto last = parse(encode_section(packages_section(2))).packages().packages(1);
    EXPECT_EQ(last.name(), "package-1");
    EXPECT_EQ(last.version(), "1:2.0-1");
    EXPECT_EQ(last.architecture(), "all");
}

TEST(InventoryCodec, empty_sections_differ_and_each_member_moves_the_hash) {
    EXPECT_NE(
        encode_section({.content = inventory::Disks{}}).hash,
        encode_section({.content = inventory::Network{}}).hash
    );
    const auto plain = encode_section(packages_section(5));
    EXPECT_EQ(encode_section(packages_section(5)).hash, plain.hash);
    EXPECT_EQ(plain.hash.size(), 32U);
    auto truncated = packages_section(5);
    truncated.truncated = true;
    EXPECT_NE(encode_section(truncated).hash, plain.hash);
    EXPECT_NE(encode_section(packages_section(6)).hash, plain.hash);
}

}  // namespace
}  // namespace synapsex::agent
