#pragma once

#include <functional>

#include "agent/app/config.hpp"
#include "shared/base/problem.hpp"
#include "shared/net/curl_http_client.hpp"

namespace synapsex::agent {

// The worker, in this process. Returns the exit code: 0 after a stop that was asked for, else that
// of the problem.
int run_command(const AgentConfig& config);

// How the agent talks HTTP; `now` is what certificates are held to.
net::CurlOptions http_options(const AgentConfig& config, std::function<net::HeldTime()> now);

// 78 where a person has to change something first (sysexits.h: EX_CONFIG): the settings, a token
// that is missing or refused, a damaged identity. 1 for everything else, such as a full disk:
// whoever supervises starts the agent again.
int exit_code_of(const Problem& problem);

}  // namespace synapsex::agent
