#pragma once

// Which service may call which, through the interface in its public.hpp or, for the gateway, by its
// operations. A service's port refuses everybody else (platform/context). Held against the sources
// by tests/architecture/edges.test.mjs.

#include <array>

#include "controlplane/platform/context/signed_context.hpp"

namespace synapsex::app {

inline constexpr std::array kEdges{
    context::Edge{"agent-registry-service", "tenant-service"},
    context::Edge{"agent-registry-service", "vm-registry-service"},
    context::Edge{"auth-service", "tenant-service"},
    context::Edge{"auth-service", "agent-registry-service"},
    context::Edge{"api-gateway", "tenant-service"},
    context::Edge{"api-gateway", "vm-registry-service"},
    context::Edge{"api-gateway", "agent-registry-service"},
    context::Edge{"api-gateway", "auth-service"},
    context::Edge{"api-gateway", "audit-service"},
};

}  // namespace synapsex::app
