#pragma once

#include "agent/app/command_line.hpp"
#include "agent/app/config.hpp"

namespace synapsex::agent {

// Prints how the agent of this machine is. Exit code 0: it runs; 3: it does not (as LSB's status);
// 1: cannot tell.
int status_command(const AgentConfig& config, StatusFormat format);

}  // namespace synapsex::agent
