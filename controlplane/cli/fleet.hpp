#pragma once

// VMs and agents as commands name and show them.

#include <string>
#include <vector>

#include "controlplane/cli/context.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "controlplane/services/vm_registry/api.hpp"

namespace synapsex::cli {

// The state in the color that says how worried to be.
Cell state_cell(vm_registry::State state);

// By id, or by name where only one VM has it: cli.vm_not_found, cli.vm_ambiguous.
Result<VmId> find_vm(Context& context, const std::string& id_or_name);
// An agent and its VM have one name: cli.agent_not_found, cli.agent_ambiguous.
Result<AgentId> find_agent(Context& context, const std::string& id_or_name);

// "until 2026-01-02 03:04:05Z: disk swap", after "Paused".
std::string pause_text(const agent_registry::VmPause& pause);

// "1.4 GiB of 7.7 GiB (18.2 %)"; empty where there is no whole.
std::string format_share(std::int64_t used, std::int64_t whole);
// Of memory that programs hold: what the kernel could not give away at once.
double memory_used_percent(const vm_registry::TelemetryPoint& point);

}  // namespace synapsex::cli
