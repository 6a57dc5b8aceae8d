// What moves: the readers behind take_reading().

#include <gmock/gmock.h>

#include "agent/platform/linux/devices.hpp"
#include "agent/platform/linux/fixture_tree.hpp"
#include "agent/platform/linux/kernel_counters.hpp"

namespace synapsex::platform {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class CountersTest : public ::testing::Test {
 protected:
    std::vector<std::string> disk_names() const { return names(read_disk_counters(root())); }
    std::vector<std::string> link_names() const { return names(read_link_counters(root())); }
    Root root() const { return Root{tree.path()}; }

    static std::vector<std::string> names(const std::vector<DeviceCounters>& counters) {
        std::vector<std::string> names;
        for (const auto& each : counters) names.push_back(each.name);
        return names;
    }

    FixtureTree tree;
};

TEST_F(CountersTest, load_is_in_hundredths_whatever_the_digits) {
    struct Row {
        const char* text;
        std::uint32_t load1, load5, load15;
    };
    for (const auto& row : {
             Row{"0.25 1.50 12.07 1/88 4992\n", 25, 150, 1207}, Row{"3 0.5 .5", 300, 50, 0},
             Row{"", 0, 0, 0}, Row{"x y z", 0, 0, 0}, Row{"-1.00 nan 1e3", 0, 0, 0},
             Row{"99999999999 18446744073709551615.99 0.999", 4294967295U, 4294967295U, 99}
         }) {
        tree.file("proc/loadavg", row.text);
        Reading reading;
        read_load(root(), reading);
        EXPECT_EQ(reading.load1_centi, row.load1) << row.text;
        EXPECT_EQ(reading.load5_centi, row.load5) << row.text;
        EXPECT_EQ(reading.load15_centi, row.load15) << row.text;
    }
}

TEST_F(CountersTest, cpu_time_is_split_without_overlap) {
    tree.file("proc/stat", "cpu  100 20 30 4000 50 6 7 80 99 1\ncpu0 1 2 3 4\nbtime 1700000000\n");
    const auto times = read_cpu_times(root());
    ASSERT_TRUE(times);
    EXPECT_EQ(times->busy, 100U + 20 + 30 + 6 + 7) << "guests are in user and nice already";
    EXPECT_EQ(times->iowait, 50U);
    EXPECT_EQ(times->steal, 80U);
    EXPECT_EQ(times->idle, 4000U);
    EXPECT_EQ(read_booted_at_us(root()), 1'700'000'000'000'000);
}

TEST_F(CountersTest, cpu_time_of_an_old_kernel_lacks_columns) {
    tree.file("proc/stat", "cpu  100 20 30 4000\n");
    const auto times = read_cpu_times(root());
    ASSERT_TRUE(times);
    EXPECT_EQ(times->busy, 150U);
    EXPECT_EQ(times->steal, 0U);
}

TEST_F(CountersTest, unreadable_cpu_time_is_absent_rather_than_zero) {
    EXPECT_FALSE(read_cpu_times(root()));
    for (const auto* text : {"", "\n", "cpu", "cpu 1 2 3\n", "cpu a b c d\n", "intr 1 2 3 4 5\n",
                             "cpu -1 2 3 4 5\n", "cpu0 1 2 3 4\n"}) {
        tree.file("proc/stat", text);
        EXPECT_FALSE(read_cpu_times(root())) << text;
    }
    tree.file("proc/stat", "btime 18446744073709551615\n");
    EXPECT_EQ(read_booted_at_us(root()), 0);
}

TEST_F(CountersTest, huge_counters_are_capped_rather_than_wrapped) {
    tree.file("proc/stat", "cpu 18446744073709551615 18446744073709551615 1 1\n");
    EXPECT_EQ(read_cpu_times(root())->busy, ~0ULL);
    tree.file("proc/meminfo", "MemTotal: 18446744073709551615 kB\n");
    EXPECT_EQ(read_memory(root()).total_bytes, ~0ULL);
}

TEST_F(CountersTest, memory_is_in_bytes_and_swap_used_is_derived) {
    tree.file(
        "proc/meminfo",
        "MemTotal:        2035112 kB\nMemFree:          120340 kB\nMemAvailable:    1502340 kB\n"
        "Buffers:           60000 kB\nCached:           900000 kB\nSwapCached:            0 kB\n"
        "SwapTotal:       1048572 kB\nSwapFree:        1000000 kB\nHugePages_Total:       0\n"
    );
    Reading reading;
    read_memory_use(root(), reading);
    EXPECT_EQ(reading.memory_total_bytes, 2035112U * 1024);
    EXPECT_EQ(reading.memory_available_bytes, 1502340U * 1024);
    EXPECT_EQ(reading.swap_total_bytes, 1048572U * 1024);
    EXPECT_EQ(reading.swap_used_bytes, 48572U * 1024);
    EXPECT_EQ(read_memory(root()).swap_total_bytes, 1048572U * 1024);
}

TEST_F(CountersTest, memory_available_is_estimated_where_the_kernel_does_not) {
    tree.file(
        "proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 300 kB\n"
    );
    Reading reading;
    read_memory_use(root(), reading);
    EXPECT_EQ(reading.memory_available_bytes, 450U * 1024);
}

TEST_F(CountersTest, contradictory_memory_never_goes_below_zero) {
    tree.file(
        "proc/meminfo", "MemTotal: 10 kB\nMemAvailable: 99 kB\nSwapTotal: 1 kB\nSwapFree: 5 kB\n"
    );
    Reading reading;
    read_memory_use(root(), reading);
    EXPECT_EQ(reading.memory_available_bytes, 10U * 1024);
    EXPECT_EQ(reading.swap_used_bytes, 0U);
}

TEST_F(CountersTest, uptime_and_processes) {
    tree.file("proc/uptime", "350735.47 234388.90\n").directory("proc/1").directory("proc/4992");
    tree.directory("proc/sys").directory("proc/fs").file("proc/12x", "");
    Reading reading;
    read_uptime(root(), reading);
    EXPECT_EQ(reading.uptime_seconds, 350735U);
    EXPECT_EQ(root().count_numbered("proc"), 3U);
    EXPECT_EQ(root().count_numbered("missing"), 0U);
}

TEST_F(CountersTest, disks_are_counted_once_as_whole_physical_ones) {
    tree.virtio_disk("vda", "41943040").virtual_disk("loop0").virtual_disk("ram0");
    tree.virtual_disk("dm-0").virtual_disk("md0").virtual_disk("zram0");
    tree.file(
        "proc/diskstats",
        "   7       0 loop0 10 0 80 0 0 0 0 0 0 0 0\n"
        " 254       0 vda 28275 6890 2074010 9380 21848 8232 994400 3548 0 6596 13308 4 64 1 2 3\n"
        " 254       1 vda1 28275 6890 2074010 9380 21848 8232 994400 3548 0 6596 13308\n"
        " 253       0 dm-0 100 0 800 0 100 0 800 0 0 0 0\n"
        "   9       0 md0 100 0 800 0 100 0 800 0 0 0 0\n"
        "   1       0 ram0 1 0 8 0 1 0 8 0 0 0 0\n"
        " 252       0 zram0 1 0 8 0 1 0 8 0 0 0 0\n"
    );
    const auto disks = read_disk_counters(root());
    ASSERT_EQ(disks.size(), 1U);
    EXPECT_EQ(disks[0].name, "vda");
    EXPECT_EQ(disks[0].in_bytes, 2074010U * 512);
    EXPECT_EQ(disks[0].out_bytes, 994400U * 512);
}

TEST_F(CountersTest, hidden_paths_optical_drives_and_floppies_do_not_count) {
    std::string stats;
    for (const auto* name : {"nvme0n1", "nvme0c0n1", "sr0", "fd0", "fdx"}) {
        const std::string path = std::string{"sys/block/"} + name;
        tree.file(path + "/device/type", std::string{name} == "sr0" ? "5\n" : "0\n");
        tree.file(path + "/hidden", std::string{name} == "nvme0c0n1" ? "1\n" : "0\n");
        stats += "259 0 " + std::string{name} + " 1 0 8 0 1 0 8 0 0 0 0\n";
    }
    tree.file("proc/diskstats", stats);
    EXPECT_THAT(disk_names(), UnorderedElementsAre("nvme0n1", "fdx"));
}

TEST_F(CountersTest, malformed_disk_lines_are_skipped) {
    tree.virtio_disk("vda", "2048");
    for (const auto* line : {
             "", "254", "254 0", "254 0 vda", "254 0 vda 1 2 3", "254 0 vda 1 2 x 4 5 6 7",
             "254 0 ../../../etc 1 2 3 4 5 6 7 8", "254 0 .. 1 2 3 4 5 6 7 8",
             "254 0 vda 1 2 99999999999999999999 4 5 6 7"
         }) {
        tree.file("proc/diskstats", line);
        EXPECT_THAT(disk_names(), IsEmpty()) << line;
    }
}

constexpr const char* kNetDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
    "    lo:    3267      29    0    0    0     0          0         0     3267      29    0\n"
    "  eth0: 40536767    1128    0    0    0     0          0         0    47476     592    0\n"
    "docker0:     111       1    0    0    0     0          0         0      222       2    0\n"
    "veth1a2b:18446744073709551615 1 0    0    0     0          0         0      444       2    0\n"
    "  bond0:     555       1    0    0    0     0          0         0      666       2    0\n";

TEST_F(CountersTest, traffic_is_counted_where_it_leaves_the_machine) {
    tree.file("proc/net/dev", kNetDev).physical_link("eth0");
    for (const auto* name : {"lo", "docker0", "veth1a2b", "bond0"}) tree.virtual_link(name);
    const auto links = read_link_counters(root());
    ASSERT_EQ(links.size(), 1U);
    EXPECT_EQ(links[0].name, "eth0");
    EXPECT_EQ(links[0].in_bytes, 40536767U);
    EXPECT_EQ(links[0].out_bytes, 47476U);
}

TEST_F(CountersTest, cards_of_a_bond_count_and_twins_of_a_virtual_card_do_not) {
    tree.file(
        "proc/net/dev",
        "eth0: 1 0 0 0 0 0 0 0 1\nenP1: 1 0 0 0 0 0 0 0 1\neno1: 1 0 0 0 0 0 0 0 1\n"
    );
    tree.physical_link("eth0").physical_link("enP1").physical_link("eno1").virtual_link("bond0");
    tree.link("sys/class/net/enP1/master", "../../../../../../eth0");
    tree.link("sys/class/net/eno1/master", "../../../../../virtual/net/bond0");
    EXPECT_THAT(link_names(), UnorderedElementsAre("eth0", "eno1"));
}

TEST_F(CountersTest, a_container_counts_its_own_end_of_the_wire) {
    tree.file("proc/net/dev", kNetDev);
    for (const auto* name : {"lo", "eth0", "docker0", "veth1a2b"}) tree.virtual_link(name);
    tree.directory("sys/devices/virtual/net/docker0/bridge");
    tree.directory("sys/devices/virtual/net/veth1a2b/brport");
    tree.file("sys/devices/virtual/net/bond0/tun_flags", "0x1002\n");
    tree.link("sys/class/net/bond0", "../../devices/virtual/net/bond0");
    EXPECT_THAT(link_names(), UnorderedElementsAre("eth0"));
}

TEST_F(CountersTest, without_sys_every_link_but_lo_counts_and_no_disk) {
    tree.file("proc/net/dev", kNetDev);
    tree.file("proc/diskstats", " 254 0 vda 1 0 8 0 1 0 8 0 0 0 0\n");
    EXPECT_THAT(link_names(), UnorderedElementsAre("eth0", "docker0", "veth1a2b", "bond0"));
    EXPECT_THAT(disk_names(), IsEmpty());
}

TEST_F(CountersTest, malformed_link_lines_are_skipped) {
    for (const auto* line : {"", "eth0", "eth0:", "eth0: x", "eth0: 1 2 3", ": 1 2 3 4 5 6 7 8 9",
                             "../x: 1 2 3 4 5 6 7 8 9", "eth0: -1 2 3 4 5 6 7 8 9"}) {
        tree.file("proc/net/dev", line);
        EXPECT_THAT(link_names(), IsEmpty()) << line;
    }
}

}  // namespace
}  // namespace synapsex::platform
