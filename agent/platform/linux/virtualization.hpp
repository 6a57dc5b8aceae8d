#pragma once

// What kind of machine this is, in the words of systemd-detect-virt: "kvm", "amazon", "vmware",
// "microsoft", "xen", "docker", "podman", "lxc", "wsl", "vm-other", "none"; empty if nothing tells.
// A container is named before the virtual machine that it runs on. Only files are read, so a
// hypervisor that hides from the kernel is not found.

#include <string>

#include "agent/platform/linux/root.hpp"

namespace synapsex::platform {

std::string detect_virtualization(const Root& root);

}  // namespace synapsex::platform
