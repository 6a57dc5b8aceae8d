#pragma once

// HeartbeatRequest and HeartbeatAnswer of shared/proto/agent/v1/agent.proto, to and from the
// structs of agent/core. The generated code stops here.

#include <optional>
#include <string>
#include <string_view>

#include "agent/core/messages.hpp"

namespace synapsex::agent {

std::string encode_heartbeat(const Heartbeat& heartbeat);
// nullopt for anything that is not a HeartbeatAnswer.
std::optional<HeartbeatAnswer> decode_heartbeat_answer(std::string_view bytes);

}  // namespace synapsex::agent
