#pragma once

// What the OpenAPI document says about inventory and samples, wherever an operation carries them.
// Included by api.cpp only.

#include "controlplane/platform/api/operation.hpp"
#include "controlplane/services/vm_registry/inventory.hpp"

namespace synapsex::api {

template <>
inline constexpr Doc kDocOf<vm_registry::Os>{
    "The operating system.",
    {{{"id", "os-release ID.", R"("debian")"},
      {"version_id", "os-release VERSION_ID.", R"("12")"},
      {"pretty_name", "What it calls itself.", R"json("Debian GNU/Linux 12 (bookworm)")json"},
      {"kernel_release", "As uname -r prints it.", R"("6.1.0-18-amd64")"},
      {"architecture", "As uname -m prints it.", R"("x86_64")"},
      {"hostname", "The host name.", R"("web-1")"},
      {"machine_id_hash", "SHA-256 of the machine id, in hex; the id itself stays on the VM."},
      {"timezone", "IANA name.", R"("Etc/UTC")"},
      {"booted_at", "When the VM was started."},
      {"virtualization", "What it runs in; none on hardware, empty if unknown.", R"("kvm")"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Cpu>{
    "The processors.",
    {{{"model", "Model name; empty if the kernel does not say.", R"("AMD EPYC 7B13")"},
      {"sockets", "Physical packages.", "1"},
      {"cores", "Physical cores of all packages.", "2"},
      {"threads", "Logical processors.", "4"},
      {"mhz_max", "Highest frequency in MHz; 0 if unknown.", "3500"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Memory>{
    "Main memory.",
    {{{"total_bytes", "Memory that the kernel manages.", "8330698752"},
      {"swap_total_bytes", "Swap space.", "0"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Disk>{
    "A whole disk, not a partition.",
    {{{"name", "The kernel's name.", R"("vda")"},
      {"size_bytes", "Its size.", "53687091200"},
      {"model", "Model name; empty if unknown."},
      {"rotational", "Whether it has moving parts, as the kernel believes.", "false"},
      {"removable", "Whether its medium can be taken out.", "false"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Filesystem>{
    "A mounted local file system.",
    {{{"mount_point", "Where it is mounted.", R"("/")"},
      {"device", "What is mounted.", R"("/dev/vda1")"},
      {"type", "Its type.", R"("ext4")"},
      {"size_bytes", "Its size.", "52521566208"},
      {"used_bytes", "Used, to about 1 % of the size.", "12884901888"},
      {"inodes", "Inodes; 0 if it counts none.", "3276800"},
      {"inodes_used", "Used inodes, to about 1 %.", "131072"},
      {"read_only", "Whether it is mounted read-only.", "false"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::NetworkInterface>{
    "A network interface.",
    {{{"name", "The kernel's name.", R"("eth0")"},
      {"mac", "Hardware address; empty if it has none.", R"("52:54:00:12:34:56")"},
      {"addresses", "IP addresses with their prefix lengths.", R"(["192.0.2.7/24"])"},
      {"mtu", "Largest packet in bytes.", "1500"},
      {"state", "Operational state.", R"("up")"},
      {"speed_megabits", "Megabits a second; 0 if unknown.", "1000"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Package>{
    "An installed package.",
    {{{"name", "Its name.", R"("openssl")"},
      {"version", "Its version.", R"("3.0.11-1~deb12u2")"},
      {"architecture", "What it is for.", R"("amd64")"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Disks>{"Disks.", {{{"disks", "By name."}}}};
template <>
inline constexpr Doc kDocOf<vm_registry::Filesystems>{
    "File systems.", {{{"filesystems", "By mount point."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Network>{
    "Network interfaces.", {{{"interfaces", "By name."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Packages>{
    "Installed packages.",
    {{{"manager", "Who installs them; empty if none is known.", R"("dpkg")"},
      {"packages", "By name."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::TelemetrySample>{
    "What the agent measured in one slot of 15 s. Rates are means over the slot.",
    {{{"slot", "The start of the slot: seconds since 1970 divided by 15.", "119698340"},
      {"load1_centi", "Load average over 1 minute, times 100.", "37"},
      {"load5_centi", "Load average over 5 minutes, times 100.", "41"},
      {"load15_centi", "Load average over 15 minutes, times 100.", "40"},
      {"cpu_busy_permille", "Busy time of all processors.", "183"},
      {"cpu_iowait_permille", "Time waiting for disks.", "4"},
      {"cpu_steal_permille", "Time taken by the hypervisor.", "0"},
      {"memory_total_bytes", "Memory."},
      {"memory_available_bytes", "Memory that programs could have."},
      {"swap_total_bytes", "Swap space."},
      {"swap_used_bytes", "Used swap space."},
      {"disk_read_bytes_per_second", "Read from disks."},
      {"disk_write_bytes_per_second", "Written to disks."},
      {"network_receive_bytes_per_second", "Received."},
      {"network_transmit_bytes_per_second", "Sent."},
      {"filesystem_used_permille_max", "Of the fullest local file system.", "421"},
      {"processes", "Processes.", "131"},
      {"uptime_seconds", "Since the start of the VM.", "86400"}}}
};

}  // namespace synapsex::api
