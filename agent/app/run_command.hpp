#pragma once

#include "agent/app/config.hpp"

namespace synapsex::agent {

// The worker, in this process. Returns the exit code: 0 after a stop that was asked for, 78 where a
// person has to change something first (sysexits.h: EX_CONFIG).
int run_command(const AgentConfig& config);

}  // namespace synapsex::agent
