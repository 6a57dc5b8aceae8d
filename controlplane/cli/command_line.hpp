#pragma once

// The whole program, but for the process around it.

#include <string>
#include <vector>

#include "controlplane/cli/exit_code.hpp"
#include "controlplane/cli/surroundings.hpp"

namespace synapsex::cli {

// Runs one command line (without the program's name) and says how it ended.
ExitCode run_command_line(const std::vector<std::string>& arguments, Surroundings& surroundings);

}  // namespace synapsex::cli
