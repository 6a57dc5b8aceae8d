#pragma once

// The environment that the agent's service has, for a command that a person runs beside it: a shell
// of root's knows neither the service's proxy nor its other variables. systemd reads them from
// agent.env beside agent.toml (EnvironmentFile= of the unit), and so does this.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "shared/base/result.hpp"

namespace synapsex::agent {

inline constexpr const char* kServiceEnvironmentFile = "agent.env";  // beside agent.toml
inline constexpr const char* kServiceUnitFile = "/lib/systemd/system/synapsex-agent.service";

struct ServiceEnvironment {
    std::map<std::string, std::string> variables{};
    bool is_unit = false;  // of systemd's: it has no other proxy than those
};

// What a file of variables says, by systemd's rules: NAME=value a line, the value perhaps in quotes
// or going on after a backslash at the line's end; # and ; begin comments, which a backslash does
// not prolong (up to 253 it did); nothing is expanded. A line that is none of these is left out.
std::map<std::string, std::string> parse_environment_file(std::string_view text);

// No variables where there is no such file. Fails if it cannot be read.
Result<ServiceEnvironment> read_service_environment(
    const std::filesystem::path& environment_file, bool is_unit
);

// By this process, before it has threads: its variables of the same names are replaced, and where
// the service is a unit its proxies go.
void take_over(const ServiceEnvironment& service);

}  // namespace synapsex::agent
