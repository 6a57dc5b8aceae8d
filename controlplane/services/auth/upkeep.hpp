#pragma once

// The background work of auth-service: writes when keys were used, every 15 s and at the end;
// forgets old assertions, every minute; takes back unfinished registrations, every hour. All are
// repeatable, so replicas do not have to agree on who does it.

#include <memory>

#include "controlplane/platform/periodic_task.hpp"
#include "controlplane/services/auth/agent_tokens.hpp"
#include "controlplane/services/auth/key_usage.hpp"
#include "controlplane/services/auth/registration.hpp"

namespace synapsex::auth {

class Upkeep {
 public:
    Upkeep(
        KeyUsage& key_usage, AgentTokens& tokens, Registration& registration, const Clock& clock
    )
        : key_usage_(key_usage), tokens_(tokens), registration_(registration), clock_(clock) {}

    void start();
    void stop();

 private:
    void flush_key_usage();
    void prune_assertions();
    void sweep_registrations();

    KeyUsage& key_usage_;
    AgentTokens& tokens_;
    Registration& registration_;
    const Clock& clock_;
    std::unique_ptr<PeriodicTask> flushing_;
    std::unique_ptr<PeriodicTask> pruning_;
    std::unique_ptr<PeriodicTask> sweeping_;
};

}  // namespace synapsex::auth
