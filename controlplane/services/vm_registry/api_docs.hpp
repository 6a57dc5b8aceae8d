#pragma once

// What the OpenAPI document says about the structs of /v1/vms. Included by api.cpp only.

#include "controlplane/services/vm_registry/api.hpp"
#include "controlplane/services/vm_registry/inventory_docs.hpp"

namespace synapsex::api {

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
      {"filesystem_used_percent_max", "Of the fullest local file system.", "42.1"}}},
    &kDocOf<vm_registry::TelemetrySample>};
template <>
inline constexpr Doc kDocOf<vm_registry::VmSummary>{
    "A VM, as lists show it.",
    {{{"id", "The VM."},
      {"agent_id", "Its agent."},
      {"name", "Its name: the host name at enrollment, until somebody renames it.", R"("web-1")"},
      {"state", "How it is doing.", R"("online")"},
      {"last_seen_at", "When its agent was last heard of; null: never."},
      {"os",
       "Operating system; empty until reported.",
       R"json("Debian GNU/Linux 12 (bookworm)")json"},
      {"kernel", "Kernel release; empty until reported.", R"("6.1.0-18-amd64")"},
      {"architecture", "Machine architecture.", R"("x86_64")"},
      {"cpu_threads", "Logical processors; 0 until reported.", "4"},
      {"memory_total_bytes", "Memory; 0 until reported.", "8330698752"},
      {"disk_total_bytes", "Sum of its disks; 0 until reported.", "53687091200"},
      {"packages", "Installed packages; 0 until reported.", "412"},
      {"latest", "The newest telemetry; null: none yet."},
      {"created_at", "When it was enrolled."},
      {"updated_at", "When its name or inventory last changed."}}}};
template <>
inline constexpr Doc kDocOf<vm_registry::SectionInfo>{
    "Which inventory there is.",
    {{{"section", "The section.", R"("packages")"},
      {"hash", "Of what the agent sent."},
      {"truncated", "The VM has more than an agent may send.", "false"},
      {"updated_at", "When it was last received."},
      {"signed_at",
       "When the agent signed it, by this server's clock as far as the agent knew it; null: it is "
       "not signed."},
      {"key_id", "Of the key that signed it; null: it is not signed.", R"("n4bQgYhMfWWaL-qg")"}}}
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
    {{{"reported", "What its agent reported. It authorises nothing."}}},
    &kDocOf<vm_registry::VmSummary>};
template <>
inline constexpr Doc kDocOf<vm_registry::ListVms>{
    "Which VMs.",
    {{{"state", "Only VMs in this state.", R"("online")"},
      {"name", "Only VMs of exactly this name.", R"("web-1")"}}},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<vm_registry::VmPage>{
    "VMs, by id.",
    {{{"items", "The VMs."}}},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<vm_registry::VmPath>{"A VM.", {{{"vm_id", "The VM."}}}};
template <>
inline constexpr Doc kDocOf<vm_registry::ListPackages>{
    "Which packages.",
    {{{"vm_id", "The VM."},
      {"prefix", "Only packages whose names start so.", R"("lib")"}}},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<vm_registry::PackagePage>{
    "Packages, by name.",
    {{{"items", "The packages."}}},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<vm_registry::SectionPath>{
    "A section of a VM's inventory.",
    {{{"vm_id", "The VM."}, {"section", "The section.", R"("packages")"}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::SignedSection>{
    "A section as its agent signed it. Bytes are in base64url without padding.",
    {{{"vm_id", "The VM."},
      {"agent_id", "Its agent, who signed."},
      {"section", "The section.", R"("packages")"},
      {"signed_at", "When it was signed, by this server's clock as far as the agent knew it."},
      {"key_id",
       "The beginning of the key's RFC 7638 thumbprint; `synapsex-agent status` on the VM shows "
       "it.",
       R"("n4bQgYhMfWWaL-qg")"},
      {"public_key", "The agent's Ed25519 key, 32 bytes."},
      {"statement",
       "The text that is signed: a line each for the purpose, agent, section, time in microseconds "
       "and the SHA-256 of the content."},
      {"signature", "Over the statement, 64 bytes (RFC 8032)."},
      {"content", "An InventorySection of the agent protocol, serialized (protobuf)."}}}
};
template <>
inline constexpr Doc kDocOf<vm_registry::ReadTelemetry>{
    "Which telemetry.",
    {{{"vm_id", "The VM."},
      {"from", "The first instant; left out: an hour ago."},
      {"to", "The last instant; left out: now."},
      {"limit", "How many points at most.", "240"}}},
    &kPageDoc};
template <>
inline constexpr Doc kDocOf<vm_registry::TelemetryPage>{
    "Telemetry, oldest first.",
    {{{"items", "One point for each slot in which the agent lived."}}},
    &kPageDoc};
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
