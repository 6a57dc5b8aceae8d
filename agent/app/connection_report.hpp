#pragma once

// What a test of the connection has found, step by step, for people and for programs.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

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

boost::json::object connection_json(const ConnectionReport& report);
void print_connection(const ConnectionReport& report);

// What to do about a failure, by its code (shared/net/http_client.hpp, or the control plane's);
// empty for a code that says nothing of that.
std::string_view advice_on(std::string_view code);

}  // namespace synapsex::agent
