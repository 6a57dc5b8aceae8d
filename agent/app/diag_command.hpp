#pragma once

#include "agent/app/command_line.hpp"
#include "agent/app/config.hpp"
#include "agent/app/connection_trial.hpp"

namespace synapsex::agent {

// Writes an archive for support and lists its parts, so that a person can decide whether to send
// it. Sends nothing. Exit code 0: it is written; 1: it is not, and one sentence says why. What
// cannot be found out is told in the part's place.
int diag_command(
    const AgentConfig& config, const SettingValues& values, const CommandLine& line,
    const ConnectionTools& tools
);

}  // namespace synapsex::agent
