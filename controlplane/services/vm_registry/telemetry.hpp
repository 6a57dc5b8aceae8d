#pragma once

// What service.cpp and telemetry.cpp, the two halves of VmRegistry, share.

#include <optional>

#include "controlplane/services/vm_registry/api.hpp"
#include "controlplane/services/vm_registry/store.hpp"

namespace synapsex::vm_registry {

// The newest sample of the chunk; nullopt if it cannot be read.
std::optional<TelemetryPoint> latest_point(const VmId& vm, const ChunkRow& chunk);

inline Problem no_such_vm() { return {Kind::not_found, "vms.not_found", "There is no such VM."}; }

}  // namespace synapsex::vm_registry
