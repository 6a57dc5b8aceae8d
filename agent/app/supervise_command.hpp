#pragma once

#include "agent/app/command_line.hpp"
#include "agent/app/config.hpp"

namespace synapsex::agent {

// Becomes the executor's program in its supervising mode, which starts this program again as the
// worker. A supervisor lives as long as the agent; that program is a tenth of this one in memory.
// Returns only if it cannot.
int supervise_command(const AgentConfig& config, const CommandLine& line);

}  // namespace synapsex::agent
