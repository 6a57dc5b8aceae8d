#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "agent/app/command_line.hpp"
#include "agent/app/config.hpp"

namespace synapsex::agent {

// Prints how the agent of this machine is. Exit code 0: it runs; 3: it does not (as LSB's status);
// 1: cannot tell.
int status_command(const AgentConfig& config, StatusFormat format);

// What it prints. Fails where it cannot tell.
Result<boost::json::object> status_report(const AgentConfig& config);
// "name: value" for each member, nested ones indented.
void print_text(const boost::json::object& object, const std::string& indent);

// For a terminal: whatever is not visible ASCII, as \xNN. Some of what is shown was said by a
// server.
std::string visible_text(std::string_view text);

}  // namespace synapsex::agent
