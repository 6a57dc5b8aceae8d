#pragma once

// The network interfaces that say how this machine is connected: every physical one, and of the
// virtual ones (bridges, bonds, tunnels, a container's eth0) those with an address beyond the link.
// So lo is left out, and so are the host's ends of containers and guests, which come and go.

#include <cstddef>
#include <vector>

#include "agent/platform/linux/kernel_calls.hpp"
#include "agent/platform/linux/root.hpp"
#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {

std::vector<NetworkInterface> read_interfaces(
    const Root& root, KernelCalls& kernel, std::size_t max
);

}  // namespace synapsex::platform
