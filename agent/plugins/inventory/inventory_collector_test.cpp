#include "agent/plugins/inventory/inventory_collector.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "agent/platform/fake_system_facts.hpp"
#include "shared/base/describe.hpp"
#include "tests/support/fake_clock.hpp"

namespace synapsex::inventory {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class InventoryCollectorTest : public ::testing::Test {
 protected:
    template <class Content>
    Content content(SectionName name) {
        const auto section = collector.collect(name);
        EXPECT_EQ(section.name(), name);
        is_truncated = section.truncated;
        return std::get<Content>(section.content);
    }
    Packages packages() { return content<Packages>(SectionName::packages); }

    platform::FakeSystemFacts facts;
    testing::FakeClock clock;
    InventoryCollector collector{facts, clock};
    bool is_truncated = false;
};

constexpr SectionName kAll[] = {SectionName::os, SectionName::cpu, SectionName::memory,
                                SectionName::disks, SectionName::filesystems, SectionName::network,
                                SectionName::packages};

TEST_F(InventoryCollectorTest, each_section_is_the_content_of_its_name) {
    for (const auto name : kAll) EXPECT_EQ(collector.collect(name).name(), name) << enum_name(name);
    EXPECT_EQ(enum_name(SectionName::filesystems), "filesystems");
    EXPECT_EQ(parse_enum<SectionName>("packages"), SectionName::packages);
    EXPECT_EQ(parse_enum<SectionName>("unknown"), std::nullopt);
}

TEST_F(InventoryCollectorTest, unchanged_machine_gives_equal_sections) {
    facts.the_filesystems = {{.mount_point = "/", .device = "/dev/vda1", .type = "ext4",
                              .size_bytes = 1000, .used_bytes = 555}};
    facts.packages = {{"b", "1", "all"}, {"a", "1", "all"}};
    for (const auto name : kAll)
        EXPECT_EQ(collector.collect(name), collector.collect(name)) << enum_name(name);
}

TEST_F(InventoryCollectorTest, packages_are_sorted_whatever_order_the_database_has) {
    facts.packages = {{"zlib1g", "1", "amd64"}, {"adduser", "3", "all"}, {"libc6", "2", "i386"},
                      {"libc6", "2", "amd64"}, {"libc6", "1", "i386"}};
    const auto section = packages();
    EXPECT_EQ(section.manager, "dpkg");
    EXPECT_THAT(
        section.packages,
        ElementsAre(
            Package{"adduser", "3", "all"}, Package{"libc6", "1", "i386"},
            Package{"libc6", "2", "amd64"}, Package{"libc6", "2", "i386"},
            Package{"zlib1g", "1", "amd64"}
        )
    );
    EXPECT_FALSE(is_truncated);
}

TEST_F(InventoryCollectorTest, too_many_packages_keep_the_same_first_ones_in_any_order) {
    for (std::size_t i = 0; i < kPackagesMax + 700; ++i)
        facts.packages.push_back({"package-" + std::to_string(100'000 + i), "1", "all"});
    const auto in_order = packages();
    EXPECT_TRUE(is_truncated);
    ASSERT_THAT(in_order.packages, SizeIs(kPackagesMax));
    EXPECT_EQ(in_order.packages.front().name, "package-100000");
    EXPECT_EQ(in_order.packages.back().name, "package-104999");

    std::shuffle(facts.packages.begin(), facts.packages.end(), std::mt19937{1});
    EXPECT_EQ(packages(), in_order);
    facts.packages.resize(kPackagesMax);
    EXPECT_THAT(packages().packages, SizeIs(kPackagesMax));
    EXPECT_FALSE(is_truncated) << "just as many as are allowed";
}

TEST_F(InventoryCollectorTest, long_texts_and_many_of_them_stay_below_the_section_limit) {
    for (std::size_t i = 0; i < kPackagesMax; ++i)
        facts.packages.push_back(
            {std::to_string(100'000 + i) + std::string(1000, 'n'), std::string(1000, 'v'), "all"}
        );
    const auto section = packages();
    EXPECT_TRUE(is_truncated);
    std::size_t bytes = 0;
    for (const auto& each : section.packages) {
        EXPECT_LE(each.name.size(), kNameBytesMax);
        EXPECT_LE(each.version.size(), kVersionBytesMax);
        bytes += each.name.size() + each.version.size() + each.architecture.size();
    }
    EXPECT_LE(bytes, kSectionBytesMax);
    EXPECT_GT(section.packages.size(), 1000U);
}

TEST_F(InventoryCollectorTest, packages_are_worth_a_look_only_after_the_database_was_written) {
    EXPECT_TRUE(collector.may_have_changed(SectionName::packages));
    collector.collect(SectionName::packages);
    EXPECT_FALSE(collector.may_have_changed(SectionName::packages));
    EXPECT_TRUE(collector.may_have_changed(SectionName::os));
    facts.stamp.modified_at_ns = 1;
    EXPECT_TRUE(collector.may_have_changed(SectionName::packages));
    collector.collect(SectionName::packages);
    EXPECT_FALSE(collector.may_have_changed(SectionName::packages));
}

TEST_F(InventoryCollectorTest, processors_and_memory_are_worth_a_look_once_an_hour) {
    for (const auto name : {SectionName::cpu, SectionName::memory}) {
        EXPECT_TRUE(collector.may_have_changed(name));
        collector.collect(name);
        clock.advance(std::chrono::minutes{59});
        EXPECT_FALSE(collector.may_have_changed(name));
        clock.advance(std::chrono::minutes{1});
        EXPECT_TRUE(collector.may_have_changed(name));
    }
}

TEST_F(InventoryCollectorTest, filesystems_in_use_stay_equal_until_a_hundredth_has_moved) {
    facts.the_filesystems = {{.mount_point = "/", .device = "/dev/vda1", .type = "ext4",
                              .size_bytes = 100'000, .used_bytes = 50'300,
                              .available_bytes = 40'000, .inodes = 1000, .inodes_used = 205}};
    const auto first = content<Filesystems>(SectionName::filesystems);
    EXPECT_EQ(first.filesystems[0].used_bytes, 50'000U);
    EXPECT_EQ(first.filesystems[0].inodes_used, 210U);
    EXPECT_EQ(first.filesystems[0].available_bytes, 0U);
    facts.the_filesystems[0].used_bytes = 50'900;
    facts.the_filesystems[0].available_bytes = 39'400;
    facts.the_filesystems[0].inodes_used = 201;
    EXPECT_EQ(content<Filesystems>(SectionName::filesystems), first);
    facts.the_filesystems[0].used_bytes = 51'000;
    EXPECT_EQ(content<Filesystems>(SectionName::filesystems).filesystems[0].used_bytes, 51'000U);
}

TEST_F(InventoryCollectorTest, another_filesystem_in_the_place_of_one_starts_anew) {
    facts.the_filesystems = {{.mount_point = "/data", .device = "/dev/vdb", .type = "ext4",
                              .size_bytes = 100'000, .used_bytes = 50'000}};
    collector.collect(SectionName::filesystems);
    facts.the_filesystems[0].device = "/dev/vdc";
    facts.the_filesystems[0].used_bytes = 50'600;
    EXPECT_EQ(content<Filesystems>(SectionName::filesystems).filesystems[0].used_bytes, 51'000U);
}

TEST_F(InventoryCollectorTest, boot_time_does_not_tremble) {
    facts.the_os.booted_at_us = 1'700'000'000'000'000;
    const auto first = content<platform::Os>(SectionName::os);
    facts.the_os.booted_at_us += 1'000'000;
    EXPECT_EQ(content<platform::Os>(SectionName::os), first);
    facts.the_os.booted_at_us += 60'000'000;
    EXPECT_NE(content<platform::Os>(SectionName::os), first);
}

TEST_F(InventoryCollectorTest, texts_are_made_clean) {
    facts.the_os.hostname = "evil\x1B]0;\xFF" + std::string(300, 'x');
    facts.the_cpu.model = std::string(300, 'm');
    const auto os = content<platform::Os>(SectionName::os);
    EXPECT_TRUE(os.hostname.starts_with("evil\uFFFD]0;\uFFFDxxx"));
    EXPECT_EQ(os.hostname.size(), kNameBytesMax);
    EXPECT_TRUE(is_truncated);
    content<platform::Cpu>(SectionName::cpu);
    EXPECT_TRUE(is_truncated);
}

TEST_F(InventoryCollectorTest, lists_say_when_there_is_more) {
    facts.the_disks.resize(kDisksMax);
    facts.the_filesystems.resize(kFilesystemsMax);
    facts.the_interfaces.resize(kInterfacesMax);
    for (const auto name : {SectionName::disks, SectionName::filesystems, SectionName::network})
        EXPECT_FALSE(collector.collect(name).truncated) << enum_name(name);
    facts.the_disks.emplace_back();
    facts.the_filesystems.emplace_back();
    facts.the_interfaces.emplace_back();
    EXPECT_THAT(content<Disks>(SectionName::disks).disks, SizeIs(kDisksMax));
    EXPECT_TRUE(is_truncated);
    EXPECT_THAT(
        content<Filesystems>(SectionName::filesystems).filesystems, SizeIs(kFilesystemsMax)
    );
    EXPECT_TRUE(is_truncated);
    EXPECT_THAT(content<Network>(SectionName::network).interfaces, SizeIs(kInterfacesMax));
    EXPECT_TRUE(is_truncated);
}

TEST_F(InventoryCollectorTest, interface_with_thousands_of_addresses_keeps_the_first) {
    platform::NetworkInterface services;
    services.name = "kube-ipvs0";
    for (int i = 0; i < 3000; ++i)
        services.addresses.push_back("10.0.0." + std::to_string(i) + "/32");
    facts.the_interfaces = {services};
    EXPECT_THAT(
        content<Network>(SectionName::network).interfaces[0].addresses, SizeIs(kAddressesMax)
    );
    EXPECT_TRUE(is_truncated);
}

}  // namespace
}  // namespace synapsex::inventory
