#pragma once

// Tries the way to the control plane as the worker goes it, step by step, and says of each step how
// it went and what to do about it. It holds what the worker holds (settings, pins, keys, the time
// that certificates are held to), changes nothing here or there, and shows no secret.

#include <functional>
#include <map>
#include <string>

#include "agent/app/command_line.hpp"
#include "agent/app/config.hpp"
#include "agent/app/connection_report.hpp"
#include "shared/base/random.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent {

// What the test needs besides the settings.
struct ConnectionTools {
    const Clock& clock;
    Random& random;
    std::function<const char*(const char*)> environment;
    // What stands in agent.env beside agent.toml; it is in `environment`, too.
    std::map<std::string, std::string> service_variables{};
};

// Within 30 s, whatever hangs.
ConnectionReport test_connection(const AgentConfig& config, const ConnectionTools& tools);

// Prints it. Exit code 0: all is fine; 1: something is not.
int test_connection_command(
    const AgentConfig& config, StatusFormat format, const ConnectionTools& tools
);

}  // namespace synapsex::agent
