#pragma once

// What the OpenAPI document says about the structs of /v1/vms. Included by api.cpp only.

#include "controlplane/services/vm_registry/api.hpp"

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
template <>
inline constexpr Doc kDocOf<vm_registry::TelemetryPoint>{
    "What was measured in one slot of 15 s. Rates are means over the slot.",
    {{{"at", "Start of the slot."},
      {"load1", "Load average over 1 minute.", "0.37"},
      {"load5", "Load average over 5 minutes.", "0.41"},
      {"load15", "Load average over 15 minutes.", "0.4"},
      {"cpu_busy_percent", "Busy time of all processors.", "18.3"},
      {"cpu_iowait_percent", "Time waiting for disks.", "0.4"},
      {"cpu_steal_percent", "Time taken by the hypervisor.", "0"},
      {"memory_total_bytes", "Memory."},
      {"memory_available_bytes", "Memory that programs could have."},
      {"swap_total_bytes", "Swap space."},
      {"swap_used_bytes", "Used swap space."},
      {"disk_read_bytes_per_second", "Read from disks."},
      {"disk_write_bytes_per_second", "Written to disks."},
      {"network_receive_bytes_per_second", "Received."},
      {"network_transmit_bytes_per_second", "Sent."},
      {"filesystem_used_percent_max", "Of the fullest local file system.", "42.1"},
      {"processes", "Processes.", "131"},
      {"uptime_seconds", "Since the start of the VM.", "86400"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::VmSummary>{
    "A VM, as lists show it.",
    {{{"id", "The VM."},
      {"agent_id", "Its agent."},
      {"name", "Its name: the host name at enrollment, until somebody renames it.", R"("web-1")"},
      {"state", "How it is doing.", R"("online")"},
      {"last_seen_at", "When its agent was last heard of; null: never."},
      {"os", "Operating system; empty until reported.", R"json("Debian GNU/Linux 12 (bookworm)")json"},
      {"kernel", "Kernel release; empty until reported.", R"("6.1.0-18-amd64")"},
      {"architecture", "Machine architecture.", R"("x86_64")"},
      {"cpu_threads", "Logical processors; 0 until reported.", "4"},
      {"memory_total_bytes", "Memory; 0 until reported.", "8330698752"},
      {"disk_total_bytes", "Sum of its disks; 0 until reported.", "53687091200"},
      {"packages", "Installed packages; 0 until reported.", "412"},
      {"latest", "The newest telemetry; null: none yet."},
      {"created_at", "When it was enrolled."},
      {"updated_at", "When its name or inventory last changed."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::SectionInfo>{
    "Which inventory there is.",
    {{{"section", "The section.", R"("packages")"},
      {"hash", "Of what the agent sent."},
      {"truncated", "The VM has more than an agent may send.", "false"},
      {"updated_at", "When it was last received."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Inventory>{
    "What the agent reported of its VM; packages have a list of their own.",
    {{{"os", "Operating system; null until reported."},
      {"cpu", "Processors; null until reported."},
      {"memory", "Memory; null until reported."},
      {"disks", "Disks."},
      {"filesystems", "Local file systems."},
      {"network", "Network interfaces."},
      {"sections", "Which sections there are, packages too."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Vm>{
    "A VM with its inventory.",
    {{{"id", "The VM."},
      {"agent_id", "Its agent."},
      {"name", "Its name: the host name at enrollment, until somebody renames it.", R"("web-1")"},
      {"state", "How it is doing.", R"("online")"},
      {"last_seen_at", "When its agent was last heard of; null: never."},
      {"os", "Operating system; empty until reported.", R"json("Debian GNU/Linux 12 (bookworm)")json"},
      {"kernel", "Kernel release; empty until reported.", R"("6.1.0-18-amd64")"},
      {"architecture", "Machine architecture.", R"("x86_64")"},
      {"cpu_threads", "Logical processors; 0 until reported.", "4"},
      {"memory_total_bytes", "Memory; 0 until reported.", "8330698752"},
      {"disk_total_bytes", "Sum of its disks; 0 until reported.", "53687091200"},
      {"packages", "Installed packages; 0 until reported.", "412"},
      {"latest", "The newest telemetry; null: none yet."},
      {"created_at", "When it was enrolled."},
      {"updated_at", "When its name or inventory last changed."},
      {"reported", "What its agent reported. It authorises nothing."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::ListVms>{
    "Which VMs.",
    {{{"limit", "How many at most.", "50"},
      {"cursor", "nextCursor of the page before; left out for the first."},
      {"state", "Only VMs in this state.", R"("online")"},
      {"name", "Only VMs of exactly this name.", R"("web-1")"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::VmPage>{
    "VMs, by id.",
    {{{"items", "The VMs."}, {"next_cursor", "Where the next page starts; null on the last."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::VmPath>{"A VM.", {{{"vm_id", "The VM."}}}};
template <>
inline constexpr Doc kDocOf<vm_registry::ListPackages>{
    "Which packages.",
    {{{"vm_id", "The VM."},
      {"limit", "How many at most.", "50"},
      {"cursor", "nextCursor of the page before; left out for the first."},
      {"prefix", "Only packages whose names start so.", R"("lib")"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::PackagePage>{
    "Packages, by name.",
    {{{"items", "The packages."},
      {"next_cursor", "Where the next page starts; null on the last."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::ReadTelemetry>{
    "Which telemetry.",
    {{{"vm_id", "The VM."},
      {"from", "The first instant; left out: an hour ago."},
      {"to", "The last instant; left out: now."},
      {"limit", "How many points at most.", "240"},
      {"cursor", "nextCursor of the page before; left out for the first."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::TelemetryPage>{
    "Telemetry, oldest first.",
    {{{"items", "One point for each slot in which the agent lived."},
      {"next_cursor", "Where the next page starts; null on the last."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::WatchVm>{
    "For how long to watch.",
    {{{"vm_id", "The VM."}, {"seconds", "Seconds from now.", "60"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::Watching>{
    "A watch under way.", {{{"live_until", "When it ends unless repeated."}}}
};

}  // namespace synapsex::api
