#pragma once

// What an agent is told of its control plane when it enrolls, and what it believes later.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "shared/crypto/time_proof.hpp"

namespace synapsex::agent_registry {

struct Trust {
    std::string issuer;  // the audience of agents' assertions
    // What agents are to take for the control plane's authority (crypto/public_key_pin.hpp); empty
    // text: nothing. It may change while the control plane runs. Any thread.
    std::function<std::string()> authority_pin = [] { return std::string{}; };
    // The present, signed by that authority for a nonce; nullopt: its key is not here. Any thread.
    std::function<std::optional<crypto::TimeProof>(std::string_view)> prove_time =
        [](std::string_view) { return std::nullopt; };
};

}  // namespace synapsex::agent_registry
