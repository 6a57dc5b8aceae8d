#pragma once

// Tries the way to the control plane as the worker goes it, step by step, and says of each step how
// it went and what to do about it. It holds what the worker holds (settings, pins, key), changes
// nothing here or there, and shows no secret.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "agent/app/command_line.hpp"
#include "agent/app/config.hpp"
#include "shared/base/random.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent {

struct ConnectionStep {
    enum class Outcome { ok, failed, skipped };

    std::string name;  // settings, name, connect, proxy, tls, api, clock, authentication
    Outcome outcome = Outcome::skipped;
    std::chrono::milliseconds time{};
    std::string detail{};  // what was seen
    std::string advice{};  // what to do; of failures alone
};

struct ConnectionReport {
    std::string url{};
    std::vector<ConnectionStep> steps{};
    boost::json::array certificates{};  // as shown by the server

    bool is_fine() const;
};

// What the test needs besides the settings.
struct ConnectionTools {
    const Clock& clock;
    Random& random;
    std::function<const char*(const char*)> environment;
};

// Within 30 s.
ConnectionReport test_connection(const AgentConfig& config, const ConnectionTools& tools);
boost::json::object connection_json(const ConnectionReport& report);

// Prints it. Exit code 0: all is fine; 1: something is not.
int test_connection_command(
    const AgentConfig& config, StatusFormat format, const ConnectionTools& tools
);

}  // namespace synapsex::agent
