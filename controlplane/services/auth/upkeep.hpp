#pragma once

// The background work of auth-service: writes when keys were used and which sign-ins were refused,
// every 15 s and at the end; one replica forgets old assertions and what refreshes have sealed,
// every minute, and expired sessions and waits, and takes back unfinished registrations, every
// hour.

#include <array>
#include <optional>

#include "controlplane/platform/leases/leased_task.hpp"
#include "controlplane/services/auth/agent_tokens.hpp"
#include "controlplane/services/auth/key_usage.hpp"
#include "controlplane/services/auth/registration.hpp"
#include "controlplane/services/auth/service.hpp"

namespace synapsex::auth {

inline constexpr std::array<TaskInfo, 6> kTasks{{
    {"auth.key_usage", std::chrono::seconds{15}},
    {"auth.used_assertions", std::chrono::minutes{1}, Replicas::one},
    {"auth.registrations", std::chrono::hours{1}, Replicas::one},
    {"auth.sessions", std::chrono::hours{1}, Replicas::one},
    {"auth.refused_sign_ins", std::chrono::seconds{15}},
    {"auth.refresh_successors", std::chrono::minutes{1}, Replicas::one},
}};

class Upkeep {
 public:
    Upkeep(
        KeyUsage& key_usage, AgentTokens& tokens, Registration& registration,
        AuthService& service, const leases::LeasedTask::Parts& parts
    )
        : key_usage_(key_usage),
          tokens_(tokens),
          registration_(registration),
          service_(service),
          parts_(parts) {}

    void start();
    void stop();

 private:
    Call call(std::string_view task) const;

    KeyUsage& key_usage_;
    AgentTokens& tokens_;
    Registration& registration_;
    AuthService& service_;
    const leases::LeasedTask::Parts parts_;
    std::optional<PeriodicTask> flushing_;
    std::optional<leases::LeasedTask> pruning_;
    std::optional<leases::LeasedTask> sweeping_;
    std::optional<leases::LeasedTask> ending_;
    std::optional<PeriodicTask> telling_;
    std::optional<leases::LeasedTask> forgetting_;
};

}  // namespace synapsex::auth
