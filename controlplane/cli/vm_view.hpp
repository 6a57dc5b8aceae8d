#pragma once

// A VM and its telemetry, for people.

#include "controlplane/cli/context.hpp"
#include "controlplane/services/vm_registry/api.hpp"

namespace synapsex::cli {

Table table_of_vms();
std::vector<Cell> row_of(const vm_registry::VmSummary& vm, Timestamp now);

Table table_of_telemetry();
std::vector<Cell> row_of(const vm_registry::TelemetryPoint& point);

// Everything that is known of one VM. `paused` is what stands behind that word; empty: nothing.
void print_vm(Context& context, const vm_registry::Vm& vm, const std::string& paused);

}  // namespace synapsex::cli
