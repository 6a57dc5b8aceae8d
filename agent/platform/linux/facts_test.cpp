// Whole machines, as the agent meets them: each fixture is one, each test a question to it.

#include <gmock/gmock.h>

#include <map>

#include "agent/platform/linux/fixture_tree.hpp"
#include "agent/platform/linux/linux_system_facts.hpp"
#include "agent/platform/linux/virtualization.hpp"
#include "shared/crypto/hash.hpp"

namespace synapsex::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kGiB = 1ULL << 30;

class FakeKernel final : public KernelCalls {
 public:
    std::optional<FilesystemUse> filesystem_use(
        const std::string& mount_point, std::uint64_t
    ) override {
        asked.push_back(mount_point);
        const auto found = uses.find(mount_point);
        return found == uses.end() ? std::nullopt : std::optional{found->second};
    }
    std::vector<InterfaceAddress> addresses() override { return addresses_found; }
    std::string architecture() override { return machine; }

    std::map<std::string, FilesystemUse> uses;
    std::vector<std::string> asked;
    std::vector<InterfaceAddress> addresses_found;
    std::string machine = "x86_64";
};

class FactsTest : public ::testing::Test {
 protected:
    FactsTest() : owned_kernel_(std::make_unique<FakeKernel>()), kernel(*owned_kernel_) {}

    LinuxSystemFacts& facts() {
        if (!facts_)
            facts_ = std::make_unique<LinuxSystemFacts>(tree.path(), std::move(owned_kernel_));
        return *facts_;
    }
    std::vector<std::string> mount_points() {
        std::vector<std::string> points;
        for (const auto& each : facts().filesystems(100)) points.push_back(each.mount_point);
        return points;
    }
    void mounts(const std::string& mountinfo) { tree.file("proc/self/mountinfo", mountinfo); }
    // Mounted, and a tenth full.
    void has_use(const std::string& mount_point) {
        kernel.uses[mount_point] = {100 * kGiB, 90 * kGiB, 85 * kGiB, 1000, 900};
    }

    FixtureTree tree;

 private:
    std::unique_ptr<FakeKernel> owned_kernel_;
    std::unique_ptr<LinuxSystemFacts> facts_;

 protected:
    FakeKernel& kernel;
};

void add_os_release(FixtureTree& tree) {
    tree.file(
        "usr/lib/os-release",
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n"
        "VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\n# a comment=here\nID=debian\n"
    );
    tree.link("etc/os-release", "../usr/lib/os-release");
}

std::string x86_processor(int number, int package, int core, std::string_view flags) {
    const auto field = [](std::string_view name, int value) {
        return std::string{name} + std::to_string(value) + "\n";
    };
    return field("processor\t: ", number) + "vendor_id\t: GenuineIntel\ncpu family\t: 6\n" +
           "model\t\t: 85\nmodel name\t: Intel(R) Xeon(R) Platinum 8259CL CPU   @ 2.50GHz\n" +
           field("cpu MHz\t\t: 3099.", number) + field("physical id\t: ", package) +
           field("core id\t\t: ", core) + "flags\t\t: fpu vme " + std::string{flags} +
           " lahf_lm\nbogomips\t: 4999.98\npower management:\n\n";
}

// A VM of libvirt: virtio disk and card, QEMU's DMI, KVM underneath.
void make_debian_vm(FixtureTree& tree) {
    add_os_release(tree);
    tree.file("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
        .file("proc/sys/kernel/hostname", "web-1\n")
        .file("proc/sys/kernel/random/boot_id", "6f1c1f9e-30aa-4f0a-9d7a-7f6f5d8c4b11\n")
        .file("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        .link("etc/localtime", "/usr/share/zoneinfo/Europe/Berlin")
        .file("etc/timezone", "Etc/UTC\n")
        .file("proc/stat", "cpu 1 2 3 4 5 6 7 8 9 10\nbtime 1700000000\n")
        .file("sys/class/dmi/id/sys_vendor", "QEMU\n")
        .file("sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n")
        .file("sys/devices/system/clocksource/clocksource0/available_clocksource", "kvm-clock\n")
        .file(
            "proc/cpuinfo",
            x86_processor(0, 0, 0, "hypervisor") + x86_processor(1, 0, 1, "hypervisor") +
                x86_processor(2, 1, 0, "hypervisor") + x86_processor(3, 1, 1, "hypervisor")
        )
        .virtio_disk("vda", "41943040")
        .virtual_disk("dm-0")
        .physical_link("eth0")
        .virtual_link("lo");
}

TEST_F(FactsTest, debian_vm_os) {
    make_debian_vm(tree);
    const auto os = facts().os();
    EXPECT_EQ(os.id, "debian");
    EXPECT_EQ(os.version_id, "12");
    EXPECT_EQ(os.pretty_name, "Debian GNU/Linux 12 (bookworm)");
    EXPECT_EQ(os.kernel_release, "6.1.0-18-amd64");
    EXPECT_EQ(os.architecture, "x86_64");
    EXPECT_EQ(os.hostname, "web-1");
    EXPECT_EQ(os.machine_id_hash, crypto::sha256_hex("0123456789abcdef0123456789abcdef"));
    EXPECT_EQ(os.timezone, "Europe/Berlin") << "what systemd set, not Debian's old note";
    EXPECT_EQ(os.booted_at_us, 1'700'000'000'000'000);
    EXPECT_EQ(os.virtualization, "kvm");
    EXPECT_EQ(facts().boot_id(), "6f1c1f9e-30aa-4f0a-9d7a-7f6f5d8c4b11");
}

TEST_F(FactsTest, debian_vm_cpu_is_counted_by_place_and_rated_by_name) {
    make_debian_vm(tree);
    EXPECT_EQ(
        facts().cpu(),
        (Cpu{.model = "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz",
             .sockets = 2, .cores = 4, .threads = 4, .mhz_max = 2500})
    );
}

TEST_F(FactsTest, debian_vm_disk_and_link) {
    make_debian_vm(tree);
    kernel.addresses_found = {
        {"lo", "127.0.0.1/8"}, {"eth0", "fe80::1/64", true}, {"eth0", "192.0.2.7/24"}
    };
    tree.file("sys/class/net/eth0/address", "52:54:00:12:34:56\n")
        .file("sys/class/net/eth0/mtu", "1500\n")
        .file("sys/class/net/eth0/operstate", "up\n")
        .file("sys/class/net/eth0/speed", "-1\n");
    EXPECT_THAT(
        facts().disks(10),
        ElementsAre(Disk{.name = "vda", .size_bytes = 20 * kGiB, .model = "", .rotational = true})
    );
    EXPECT_THAT(
        facts().interfaces(10),
        ElementsAre(NetworkInterface{
            .name = "eth0", .mac = "52:54:00:12:34:56",
            .addresses = {"192.0.2.7/24", "fe80::1/64"}, .mtu = 1500, .state = "up"
        })
    );
}

// A Nitro instance: NVMe disks, Amazon's DMI, one thread a processor pair.
TEST_F(FactsTest, cloud_vm_with_nvme) {
    tree.file("sys/class/dmi/id/sys_vendor", "Amazon EC2\n")
        .file("sys/class/dmi/id/product_name", "m5.large\n")
        .file(
            "proc/cpuinfo",
            x86_processor(0, 0, 0, "hypervisor") + x86_processor(1, 0, 0, "hypervisor")
        );
    for (const auto* name : {"nvme1n1", "nvme0n1"}) {
        const std::string path = std::string{"sys/block/"} + name;
        tree.file(path + "/size", "16777216\n")
            .file(path + "/queue/rotational", "0\n")
            .file(path + "/removable", "0\n")
            .file(path + "/device/model", "Amazon Elastic Block Store              \n");
    }
    const Disk disk{
        .name = "nvme0n1", .size_bytes = 8 * kGiB, .model = "Amazon Elastic Block Store"
    };
    EXPECT_EQ(facts().os().virtualization, "amazon");
    EXPECT_EQ(facts().cpu().cores, 1U);
    EXPECT_EQ(facts().cpu().threads, 2U);
    ASSERT_THAT(facts().disks(10), SizeIs(2));
    EXPECT_THAT(facts().disks(1), ElementsAre(disk)) << "the first by name";
}

TEST_F(FactsTest, file_systems_below_a_root_of_another_machine_are_seen) {
    mounts(
        "1 0 0:20 / / rw - virtiofs rootfs rw\n"
        "2 1 254:1 / /var rw - ext4 /dev/vda1 rw\n"
        "3 1 0:21 / /mnt rw - 9p share rw\n"
        "4 3 254:2 / /mnt/below rw - ext4 /dev/vda2 rw\n"
    );
    for (const auto* each : {"/", "/var", "/mnt", "/mnt/below"}) has_use(each);
    EXPECT_THAT(mount_points(), ElementsAre("/var"));
    EXPECT_THAT(kernel.asked, ElementsAre("/var")) << "neither of the servers is asked anything";
}

TEST_F(FactsTest, container_has_no_disks_and_says_what_it_is) {
    tree.directory("sys/block")
        .file(".dockerenv", "")
        .file("etc/hostname", "3f9c0d1e2b4a\n")
        .virtual_link("lo")
        .virtual_link("eth0");
    kernel.addresses_found = {{"eth0", "172.17.0.2/16"}};
    mounts(
        "700 600 0:52 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A\n"
        "701 700 0:55 / /proc rw,nosuid - proc proc rw\n"
        "720 700 254:1 /var/lib/docker/containers/3f/hosts /etc/hosts rw - ext4 /dev/vda1 rw\n"
        "721 700 254:1 /srv/data /data rw,relatime - ext4 /dev/vda1 rw\n"
    );
    has_use("/");
    has_use("/data");  // /etc/hosts is no directory: the kernel calls give nothing
    const auto os = facts().os();
    EXPECT_EQ(os.virtualization, "docker");
    EXPECT_EQ(os.hostname, "3f9c0d1e2b4a");
    EXPECT_EQ(os.id, "linux");
    EXPECT_EQ(os.machine_id_hash, "");
    EXPECT_THAT(facts().disks(10), IsEmpty());
    EXPECT_THAT(mount_points(), ElementsAre("/", "/data"));
    ASSERT_THAT(facts().interfaces(10), SizeIs(1));
    EXPECT_THAT(facts().interfaces(10)[0].addresses, ElementsAre("172.17.0.2/16"));
}

TEST_F(FactsTest, nothing_at_all_is_no_trouble) {
    const auto reading = facts().take_reading();
    EXPECT_FALSE(reading.cpu);
    EXPECT_EQ(reading.processes, 0U);
    EXPECT_EQ(facts().cpu(), Cpu{});
    EXPECT_EQ(facts().memory(), Memory{});
    EXPECT_THAT(facts().disks(10), IsEmpty());
    EXPECT_THAT(facts().filesystems(10), IsEmpty());
    EXPECT_THAT(facts().interfaces(10), IsEmpty());
    EXPECT_EQ(facts().boot_id(), "");
    EXPECT_EQ(facts().os().virtualization, "");
    EXPECT_EQ(facts().visit_packages([](const PackageView&) { FAIL(); }), "");
}

std::string arm_processor(int number, std::string_view implementer, std::string_view part) {
    return "processor\t: " + std::to_string(number) +
           "\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd evtstrm aes\nCPU implementer\t: " +
           std::string{implementer} + "\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: " +
           std::string{part} + "\nCPU revision\t: 1\n\n";
}

TEST_F(FactsTest, arm_has_numbers_for_a_name_and_its_places_in_sys) {
    tree.file(
        "proc/cpuinfo", arm_processor(0, "0x41", "0xd0c") + arm_processor(1, "0x41", "0xd0c")
    );
    for (const auto* cpu : {"cpu0", "cpu1"}) {
        const auto topology = std::string{"sys/devices/system/cpu/"} + cpu + "/topology";
        tree.file(topology + "/core_id", std::string{cpu[3], '\n'});
        tree.file(topology + "/physical_package_id", "0\n");
    }
    tree.directory("sys/devices/system/cpu/cpuidle").directory("sys/devices/system/cpu/cpufreq");
    EXPECT_EQ(
        facts().cpu(),
        (Cpu{.model = "ARM Neoverse-N1", .sockets = 1, .cores = 2, .threads = 2, .mhz_max = 0})
    ) << "BogoMIPS means nothing on ARM";
    tree.file("sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "1500000\n");
    tree.file("sys/devices/system/cpu/cpufreq/policy4/cpuinfo_max_freq", "2400000\n");
    EXPECT_EQ(facts().cpu().mhz_max, 2400U);
}

TEST_F(FactsTest, arm_of_an_unknown_maker_keeps_its_numbers) {
    tree.file("proc/cpuinfo", arm_processor(0, "0x48", "0xd01"));
    const auto cpu = facts().cpu();
    EXPECT_EQ(cpu.model, "ARM implementer 0x48 part 0xd01");
    EXPECT_EQ(cpu.sockets, 1U);
    EXPECT_EQ(cpu.cores, 1U);
}

TEST_F(FactsTest, malformed_cpuinfo_gives_what_can_be_had) {
    for (const auto* text : {"", "garbage", "processor", "processor:\n", ":::", "\xFF\xFE: 1"}) {
        tree.file("proc/cpuinfo", text);
        EXPECT_EQ(facts().cpu(), Cpu{}) << text;
    }
    tree.file("proc/cpuinfo", "processor: 0\nphysical id: x\ncore id: 99999999999999999999\n"
                              "model name: AMD EPYC\nflags: fpu\nbogomips: 5192.25\n");
    EXPECT_EQ(
        facts().cpu(),
        (Cpu{.model = "AMD EPYC", .sockets = 1, .cores = 1, .threads = 1, .mhz_max = 2596})
    );
}

TEST_F(FactsTest, virtualization_by_whatever_tells) {
    struct Row {
        const char* path;
        const char* content;
        const char* expected;
    };
    for (const auto& row : {
             Row{"sys/class/dmi/id/sys_vendor", "VMware, Inc.\n", "vmware"},
             Row{"sys/class/dmi/id/product_name", "Google Compute Engine\n", "google"},
             Row{"sys/class/dmi/id/product_name", "VirtualBox\n", "oracle"},
             Row{"sys/class/dmi/id/sys_vendor", "Dell Inc.\n", "none"},
             Row{"sys/class/dmi/id/sys_vendor", "QEMU\n", "qemu"},
             Row{"sys/hypervisor/type", "xen\n", "xen"},
             Row{"sys/firmware/devicetree/base/hypervisor/compatible", "linux,kvm", "kvm"},
             Row{"proc/cpuinfo", "flags : fpu hypervisor lm\n", "vm-other"},
             Row{"proc/cpuinfo", "flags : fpu lm\n", "none"},
             Row{"run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"},
             Row{"run/.containerenv", "", "podman"},
             Row{"proc/1/cgroup", "4:memory:/docker/3f9c\n", "docker"},
             Row{"proc/1/cgroup", "0::/init.scope\n", ""},
             Row{"proc/sys/kernel/osrelease", "5.15.90.1-microsoft-standard-WSL2\n", "wsl"},
         }) {
        FixtureTree machine;
        machine.file(row.path, row.content);
        EXPECT_EQ(detect_virtualization(Root{machine.path()}), row.expected) << row.content;
    }
    tree.file("proc/1/environ", std::string_view{"PATH=/bin\0container=lxc\0HOME=/\0", 32});
    EXPECT_EQ(detect_virtualization(Root{tree.path()}), "lxc");
}

TEST_F(FactsTest, rented_bare_metal_and_xen_hosts_are_not_virtual) {
    tree.file("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
    tree.file("sys/class/dmi/id/product_name", "m6g.metal\n");
    EXPECT_EQ(facts().os().virtualization, "none");
    tree.file("sys/hypervisor/type", "xen\n").file("proc/xen/capabilities", "control_d\n");
    EXPECT_EQ(facts().os().virtualization, "none");
}

TEST_F(FactsTest, timezone_falls_back_to_debians_note) {
    tree.file("etc/timezone", "Asia/Kolkata\n");
    EXPECT_EQ(facts().os().timezone, "Asia/Kolkata");
    tree.file("etc/localtime", "TZif2 a copy, no link");
    EXPECT_EQ(facts().os().timezone, "Asia/Kolkata");
}

TEST_F(FactsTest, machine_ids_that_are_none_have_no_hash) {
    for (const auto* text : {"", "\n", "uninitialized\n"}) {
        tree.file("etc/machine-id", text);
        EXPECT_EQ(facts().os().machine_id_hash, "") << text;
    }
}

TEST_F(FactsTest, each_local_filesystem_is_shown_once_under_its_shortest_mount_point) {
    mounts(
        "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
        "25 24 0:23 / /dev/shm rw - tmpfs tmpfs rw\n"
        "27 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
        "30 27 254:1 /var/tmp/systemd-private-1 /tmp rw - ext4 /dev/vda1 rw\n"
        "31 27 254:15 / /boot/efi rw - vfat /dev/vda15 rw\n"
        "32 27 0:40 /@home /home rw - btrfs /dev/vdb rw,subvol=/@home\n"
        "33 27 0:40 /@ /srv/volume rw - btrfs /dev/vdb rw,subvol=/@\n"
        "34 27 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro\n"
        "35 27 11:0 / /media/cdrom ro - iso9660 /dev/sr0 ro\n"
        "36 27 8:1 / /mnt/with\\040blank rw - xfs /dev/sda1 rw\n"
    );
    for (const auto* point : {"/", "/tmp", "/boot/efi", "/home", "/srv/volume", "/mnt/with blank"})
        has_use(point);
    EXPECT_THAT(mount_points(), ElementsAre("/", "/boot/efi", "/home", "/mnt/with blank"));
    const auto root = facts().filesystems(1).front();
    EXPECT_EQ(root.device, "/dev/vda1");
    EXPECT_EQ(root.size_bytes, 100 * kGiB);
    EXPECT_EQ(root.used_bytes, 10 * kGiB);
    EXPECT_EQ(root.available_bytes, 85 * kGiB);
    EXPECT_EQ(root.inodes_used, 100U);
}

TEST_F(FactsTest, nothing_that_may_hang_is_ever_asked) {
    mounts(
        "27 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n"
        "40 27 0:50 / /mnt/nfs rw - nfs4 server:/export rw,hard\n"
        "41 40 254:2 / /mnt/nfs/inside rw - ext4 /dev/vdb1 rw\n"
        "42 27 0:51 / /mnt/sshfs rw - fuse.sshfs user@host: rw\n"
        "43 27 0:52 / /mnt/cifs rw - cifs //server/share rw\n"
        "44 27 0:53 / /mnt/new rw - somethingfs2030 x rw\n"
        "45 27 0:54 / /auto rw - autofs systemd-1 rw,fd=1\n"
        "46 45 254:3 / /auto rw - ext4 /dev/vdc1 rw\n"
        "47 27 254:4 / /mnt/nfs-backup rw - ext4 /dev/vdd1 rw\n"
    );
    for (const auto* point : {"/", "/auto", "/mnt/nfs-backup", "/mnt/nfs/inside", "/mnt/nfs"})
        has_use(point);
    EXPECT_THAT(mount_points(), ElementsAre("/", "/auto", "/mnt/nfs-backup"));
    EXPECT_THAT(kernel.asked, ElementsAre("/", "/auto", "/mnt/nfs-backup"));
}

TEST_F(FactsTest, fullest_counts_what_users_may_fill_of_writable_filesystems) {
    mounts(
        "27 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
        "31 27 254:2 / /data rw - ext4 /dev/vda2 rw\n"
        "32 27 254:3 / /full ro - ext4 /dev/vda3 ro\n"
        "33 27 254:4 / /empty rw - ext4 /dev/vda4 rw\n"
    );
    kernel.uses["/"] = {100 * kGiB, 50 * kGiB, 50 * kGiB, 0, 0};
    kernel.uses["/data"] = {100 * kGiB, 25 * kGiB, 20 * kGiB, 0, 0};  // 75 of 95
    kernel.uses["/full"] = {kGiB, 0, 0, 0, 0};
    kernel.uses["/empty"] = {0, 0, 0, 0, 0};
    EXPECT_EQ(facts().take_reading().filesystem_used_permille_max, 789U);
    EXPECT_THAT(mount_points(), ElementsAre("/", "/data", "/full"));
}

TEST_F(FactsTest, filesystem_that_contradicts_itself_is_not_below_zero) {
    mounts("27 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
    kernel.uses["/"] = {kGiB, 2 * kGiB, 3 * kGiB, 1, 2};
    EXPECT_EQ(facts().filesystems(1).front().used_bytes, 0U);
    EXPECT_EQ(facts().filesystems(1).front().inodes_used, 0U);
}

TEST_F(FactsTest, interfaces_of_containers_and_guests_are_left_out) {
    for (const auto* name : {"lo", "docker0", "vethab12", "wg0", "bond0"}) tree.virtual_link(name);
    tree.physical_link("eno1").physical_link("eno2");
    tree.file("sys/class/net/docker0/address", "00:00:00:00:00:00\n");
    tree.file("sys/class/net/eno1/speed", "10000\n");
    kernel.addresses_found = {
        {"bond0", "2001:db8::7/64"}, {"docker0", "172.17.0.1/16"}, {"lo", "127.0.0.1/8"},
        {"vethab12", "fe80::2/64", true}, {"wg0", "10.8.0.1/24"}, {"ghost", "10.9.0.1/24"}
    };
    std::vector<std::string> names;
    for (const auto& each : facts().interfaces(100)) names.push_back(each.name);
    EXPECT_THAT(names, ElementsAre("bond0", "docker0", "eno1", "eno2", "ghost", "wg0"));
    EXPECT_EQ(facts().interfaces(100)[1].mac, "") << "zeros are no address";
    EXPECT_EQ(facts().interfaces(100)[2].speed_megabits, 10'000U);
    EXPECT_THAT(facts().interfaces(2), SizeIs(2));
}

}  // namespace
}  // namespace synapsex::platform
