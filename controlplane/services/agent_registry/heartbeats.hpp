#pragma once

// Heartbeats: a long poll that brings telemetry up and wishes down.

#include <functional>
#include <string>

#include "controlplane/platform/api/router.hpp"
#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/metrics.hpp"
#include "controlplane/services/agent_registry/api.hpp"
#include "controlplane/services/agent_registry/presence.hpp"
#include "shared/base/random.hpp"

namespace synapsex::agent_registry {

inline constexpr std::chrono::seconds kHoldMax{55};  // most proxies cut at 60

class Heartbeats {
 public:
    struct Parts {
        db::Database& database;
        const Clock& clock;
        Random& random;
        Metrics& metrics;
        api::ParkingLot& parking;
        vm_registry::VmDirectory& vms;
        PresenceBook& presence;
        const std::string& incarnation;  // set before the first heartbeat
    };
    explicit Heartbeats(const Parts& parts);

    // Acknowledged after the telemetry is committed; the agent counts as heard of also where that
    // fails. Kind::not_found agents.not_found unless the
    // caller is the agent of the path.
    Result<api::HeldOr<HeartbeatAnswer>> beat(const Call& call, const Heartbeat& heartbeat);

    // Writes what changed; marks agents with an open poll as seen. Every second, and sooner when a
    // state changes. Throws nothing for a database that fails: what is not written is logged, and
    // the next flush writes it.
    void flush(const Call& call);
    // Called when a state changed, so that the next flush does not wait for its time.
    void on_change(std::function<void()> callback) { on_change_ = std::move(callback); }

    // Ends the open poll of the agent, if there is one. Of an agent that was removed it is answered
    // with auth.agent_revoked.
    void wake(const AgentId& agent);

 private:
    Result<std::vector<SectionName>> wanted_sections(
        const Call& call, const VmId& vm, const Heartbeat& heartbeat
    );
    Result<Done> learn(const Call& call, const AgentId& agent);
    HeartbeatAnswer answer(const AgentId& agent, std::string_view reason);
    Result<Done> check_not_removed(const TenantId& tenant, const AgentId& agent);
    Result<Done> write_presence(const Call& call, std::span<const PresenceChange> changes);

    Parts parts_;
    std::function<void()> on_change_;
    Counter& heartbeats_;
};

}  // namespace synapsex::agent_registry
