#pragma once

// The environment that the agent's service has, for a command that a person runs beside it: a shell
// of root's knows neither the service's proxy nor its other variables. systemd reads them from
// agent.env beside agent.toml (EnvironmentFile= of the unit), and so does this.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"

namespace synapsex::agent {

inline constexpr const char* kServiceEnvironmentFile = "agent.env";  // beside agent.toml
inline constexpr const char* kServiceUnitFile = "/lib/systemd/system/synapsex-agent.service";

// What to change in the caller's environment; nullopt: not set.
using EnvironmentChange = std::map<std::string, std::optional<std::string>>;

// What a file of variables says, by systemd's rules: NAME=value a line, the value perhaps in quotes
// or going on after a backslash at the line's end; # and ; begin comments; nothing is expanded. A
// line that is none of these is left out.
std::map<std::string, std::string> parse_environment_file(std::string_view text);

// The variables of that file, if it is there. Where the service is a unit of systemd's it has no
// other proxy than those: the caller's go. Fails if the file cannot be read.
Result<EnvironmentChange> service_environment(
    const std::filesystem::path& environment_file, bool is_unit
);

// For this process, before it has threads.
void apply(const EnvironmentChange& change);

}  // namespace synapsex::agent
