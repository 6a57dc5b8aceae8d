#include "agent/platform/linux/virtualization.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "agent/platform/linux/cpu_info.hpp"
#include "agent/platform/linux/fields.hpp"

namespace synapsex::platform {
namespace {

struct Hint {
    std::string_view start;
    std::string_view name;
};

// How DMI fields of virtual machines begin.
constexpr std::array<Hint, 17> kDmiHints{{
    {"Amazon EC2", "amazon"}, {"Apple Virtualization", "apple"}, {"BHYVE", "bhyve"},
    {"Bochs", "bochs"}, {"Google Compute Engine", "google"}, {"Hyper-V", "microsoft"},
    {"KVM", "kvm"}, {"KubeVirt", "kvm"}, {"OpenStack", "kvm"}, {"Oracle Corporation", "oracle"},
    {"Parallels", "parallels"}, {"QEMU", "qemu"}, {"VMW", "vmware"}, {"VMware", "vmware"},
    {"VirtualBox", "oracle"}, {"Xen", "xen"}, {"innotek GmbH", "oracle"},
}};

// In /proc/1/cgroup of version 1, where each container has a directory.
constexpr std::array<Hint, 4> kCgroupHints{{
    {"/kubepods", "docker"}, {"/docker/", "docker"}, {"/lxc/", "lxc"}, {"/libpod-", "podman"},
}};

// The variable "container", which container managers give to the first process. Its environment is
// readable by root only, hence the other hints.
std::string container_by_environment(const Root& root) {
    constexpr std::string_view kName = "container=";
    const auto text = root.read("proc/1/environ", 64 * 1024);
    std::string_view rest{text};
    while (!rest.empty()) {
        const auto variable = rest.substr(0, rest.find('\0'));
        if (variable.starts_with(kName)) return std::string{variable.substr(kName.size())};
        rest.remove_prefix(std::min(variable.size() + 1, rest.size()));
    }
    return {};
}

std::string detect_container(const Root& root) {
    if (root.read("proc/sys/kernel/osrelease").find("icrosoft") != std::string::npos) return "wsl";
    if (root.exists("proc/vz") && !root.exists("proc/bc")) return "openvz";
    if (auto name = root.read_value("run/systemd/container"); !name.empty()) return name;
    if (auto name = container_by_environment(root); !name.empty()) return name;
    if (root.exists("run/.containerenv")) return "podman";
    if (root.exists(".dockerenv")) return "docker";
    const auto cgroups = root.read("proc/1/cgroup");
    for (const auto& hint : kCgroupHints)
        if (cgroups.find(hint.start) != std::string::npos) return std::string{hint.name};
    return {};
}

struct Dmi {
    bool is_present = false;
    std::string product;
    std::string_view machine;  // empty: of no virtual machine that we know
};

Dmi read_dmi(const Root& root) {
    Dmi dmi;
    for (const auto* field : {"product_name", "sys_vendor", "board_vendor", "bios_vendor"}) {
        const auto value = root.read_value(std::string{"sys/class/dmi/id/"} + field);
        if (value.empty()) continue;
        dmi.is_present = true;
        if (dmi.product.empty()) dmi.product = value;
        for (const auto& hint : kDmiHints)
            if (dmi.machine.empty() && value.starts_with(hint.start)) dmi.machine = hint.name;
    }
    return dmi;
}

bool is_xen_host(const Root& root) {
    return root.read("proc/xen/capabilities").find("control_d") != std::string::npos;
}

// Para-virtual clocks name the hypervisor where DMI names only the program that emulates hardware.
std::string machine_by_clock(const Root& root) {
    const auto clocks =
        root.read("sys/devices/system/clocksource/clocksource0/available_clocksource");
    if (clocks.find("kvm-clock") != std::string::npos) return "kvm";
    if (clocks.find("hyperv") != std::string::npos) return "microsoft";
    return {};
}

std::string machine_by_device_tree(const Root& root) {
    const auto text = root.read("sys/firmware/devicetree/base/hypervisor/compatible");
    if (text.starts_with("linux,kvm")) return "kvm";
    if (text.starts_with("xen")) return "xen";
    if (text.starts_with("vmware")) return "vmware";
    return root.exists("sys/firmware/devicetree/base/fw-cfg@10100000") ? "qemu" : "";
}

std::string detect_machine(const Root& root) {
    if (root.read_value("sys/hypervisor/type") == "xen") return is_xen_host(root) ? "none" : "xen";
    const auto flag = has_hypervisor_flag(root);
    if (flag == false) return "none";  // an x86 virtual machine says so

    const auto dmi = read_dmi(root);
    if (dmi.machine == "amazon" && dmi.product.ends_with(".metal")) return "none";
    if (dmi.machine.empty() || dmi.machine == "qemu") {
        if (auto name = machine_by_clock(root); !name.empty()) return name;
    }
    if (!dmi.machine.empty()) return std::string{dmi.machine};
    if (auto name = machine_by_device_tree(root); !name.empty()) return name;
    if (flag == true) return "vm-other";
    return dmi.is_present ? "none" : "";
}

}  // namespace

std::string detect_virtualization(const Root& root) {
    const auto container = detect_container(root);
    return container.empty() ? detect_machine(root) : container;
}

}  // namespace synapsex::platform
