// The machine that runs the tests, whatever it is: everything must be plausible and agree.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {
namespace {

TEST(ThisMachine, reading_is_plausible) {
    const auto facts = make_system_facts();
    const auto reading = facts->take_reading();
    ASSERT_TRUE(reading.cpu);
    EXPECT_GT(reading.cpu->busy + reading.cpu->idle, 0U);
    EXPECT_GT(reading.memory_total_bytes, 16U << 20);
    EXPECT_LE(reading.memory_available_bytes, reading.memory_total_bytes);
    EXPECT_LE(reading.swap_used_bytes, reading.swap_total_bytes);
    EXPECT_GE(reading.processes, 1U);
    EXPECT_GE(reading.uptime_seconds, 1U);
    EXPECT_LE(reading.filesystem_used_permille_max, 1000U);
}

TEST(ThisMachine, counters_do_not_go_back) {
    const auto facts = make_system_facts();
    const auto first = facts->take_reading();
    const auto second = facts->take_reading();
    ASSERT_TRUE(first.cpu && second.cpu);
    EXPECT_GE(second.cpu->busy, first.cpu->busy);
    ASSERT_EQ(first.links.size(), second.links.size());
    for (std::size_t i = 0; i < first.links.size(); ++i)
        EXPECT_GE(second.links[i].in_bytes, first.links[i].in_bytes) << first.links[i].name;
}

TEST(ThisMachine, facts_are_plausible) {
    const auto facts = make_system_facts();
    const auto os = facts->os();
    EXPECT_FALSE(os.id.empty());
    EXPECT_FALSE(os.kernel_release.empty());
    EXPECT_FALSE(os.architecture.empty());
    EXPECT_FALSE(os.hostname.empty());
    EXPECT_GT(os.booted_at_us, 0);
    EXPECT_EQ(facts->boot_id().size(), 36U);

    const auto cpu = facts->cpu();
    EXPECT_GE(cpu.threads, 1U);
    EXPECT_LE(cpu.sockets, cpu.cores);
    EXPECT_LE(cpu.cores, cpu.threads);
    EXPECT_EQ(facts->memory().total_bytes, facts->take_reading().memory_total_bytes);
}

TEST(ThisMachine, lists_are_plausible_and_the_same_twice) {
    const auto facts = make_system_facts();
    for (const auto& disk : facts->disks(100)) EXPECT_GT(disk.size_bytes, 0U) << disk.name;
    EXPECT_EQ(facts->disks(100), facts->disks(100));
    for (const auto& each : facts->filesystems(100)) {
        EXPECT_LE(each.used_bytes, each.size_bytes) << each.mount_point;
        EXPECT_TRUE(std::filesystem::is_directory(each.mount_point)) << each.mount_point;
    }
    for (const auto& each : facts->interfaces(100)) EXPECT_NE(each.name, "lo");
}

TEST(ThisMachine, packages_are_all_there) {
    if (!std::filesystem::exists("/var/lib/dpkg/status")) GTEST_SKIP() << "not a Debian";
    const auto facts = make_system_facts();
    std::size_t count = 0;
    bool has_dpkg = false;
    const auto manager = facts->visit_packages([&](const PackageView& view) {
        ++count;
        has_dpkg = has_dpkg || view.name == "dpkg";
        EXPECT_FALSE(view.version.empty());
        EXPECT_FALSE(view.architecture.empty());
    });
    EXPECT_EQ(manager, "dpkg");
    EXPECT_TRUE(has_dpkg);
    EXPECT_GT(count, 50U);
    EXPECT_EQ(facts->package_stamp(), facts->package_stamp());
}

}  // namespace
}  // namespace synapsex::platform
