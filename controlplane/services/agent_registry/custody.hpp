#pragma once

// Which of several replicas on one database says whether an agent lives: the one that heard of it
// last, until another hears of it. The agents of a replica that is gone are taken over by those
// that are left, and are unknown until they call one.
//
// The database decides who has an agent (agent_registry_agents.heard_by): a replica writes a state
// because of silence only while the row is its own. Here is who lives.

#include <set>
#include <string>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/services/agent_registry/presence.hpp"

namespace synapsex::agent_registry {

class Custody {
 public:
    static constexpr std::chrono::seconds kAliveFor{15};
    static constexpr std::chrono::seconds kRenewEvery{5};

    struct Parts {  // all outlive it
        db::Database& database;
        const Clock& clock;
        PresenceBook& presence;
    };
    explicit Custody(const Parts& parts) : parts_(parts) {}

    // Says that this replica lives, and takes over what nobody that lives has. At start, and then
    // every kRenewEvery: one that is late by kAliveFor has lost its agents to others, and gets them
    // back as they call.
    Result<Done> renew(const Call& call);
    // The others take over without waiting.
    Result<Done> leave(const Call& call);

 private:
    Parts parts_;
    std::set<std::string> peers_;  // as last seen
};

}  // namespace synapsex::agent_registry
