#pragma once

// What an agent is told of its control plane when it enrolls.

#include <functional>
#include <string>

namespace synapsex::agent_registry {

struct Trust {
    std::string issuer;  // the audience of agents' assertions
    // What agents are to take for the control plane's authority (crypto/public_key_pin.hpp); empty
    // text: nothing. It may change while the control plane runs. Any thread.
    std::function<std::string()> authority_pin = [] { return std::string{}; };
};

}  // namespace synapsex::agent_registry
