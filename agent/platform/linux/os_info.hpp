#pragma once

// The operating system, its name and its place.

#include "agent/platform/linux/kernel_calls.hpp"
#include "agent/platform/linux/root.hpp"
#include "agent/platform/system_facts.hpp"

namespace synapsex::platform {

std::string read_boot_id(const Root& root);
Os read_os(const Root& root, KernelCalls& kernel);

// The value of an os-release assignment, without the quotes and escapes of the shell.
std::string unquote_shell_value(std::string_view text);

}  // namespace synapsex::platform
