#pragma once

// Whether the control plane takes the agent for who it is: asks for an access token of its own, by
// the keys that the agent would try, in its order (agent/core/key_choice.hpp).

#include "agent/app/connection_report.hpp"
#include "agent/core/messages.hpp"
#include "agent/worker/agent_key_files.hpp"
#include "shared/base/random.hpp"
#include "shared/net/http_client.hpp"

namespace synapsex::agent {

// The agent's own tokens and keys stay as they are.
ConnectionStep try_authentication(
    const Identity& identity, const AgentKeys& keys, net::HttpClient& http, const Clock& clock,
    Random& random
);

}  // namespace synapsex::agent
