#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <boost/json.hpp>

#include "agent/app/command_line.hpp"
#include "agent/app/config.hpp"
#include "agent/pause/pause.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent {

// Pause this VM, or end that; both may be repeated, and need no running agent. Exit code 0: so it
// is; 1: not, and one sentence says why.
int pause_command(const AgentConfig& config, const CommandLine& line, const Clock& clock);
int resume_command(const AgentConfig& config, const CommandLine& line, const Clock& clock);

// null, or since, until and reason.
boost::json::value pause_json(const std::optional<Pause>& pause);

// "45s", "30m", "2h", "7d", from a second to a year; nullopt for anything else.
std::optional<std::chrono::seconds> parse_pause_length(std::string_view text);

}  // namespace synapsex::agent
