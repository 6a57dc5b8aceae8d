#pragma once

// Turns an enrollment token into an identity on disk, asking until it is granted, refused for good,
// or the agent is stopped.

#include <optional>
#include <string>

#include "agent/core/enrollment.hpp"
#include "agent/transport/control_plane.hpp"
#include "agent/worker/identity_store.hpp"
#include "agent/worker/stop_signal.hpp"

namespace synapsex::agent {

struct EnrollmentWish {
    std::string url;
    std::filesystem::path token_file;  // erased once the identity is on disk
    std::string name;
    std::string boot_id;
    std::string agent_version;
    std::optional<std::string> authority_pin{};  // see WorkerSettings
    std::optional<std::string> trust_root{};     // the same
    std::string former_trust_root{};  // that this VM pinned when it enrolled before; empty: none
};

class Enroller {
 public:
    Enroller(net::HttpClient& http, Random& random, const StopSignal& stop)
        : http_(http), random_(random), stop_(stop) {}

    // Fails with agent.not_enrolled and what to do about it. A trust root that this VM has pinned
    // stays: a token without one drops it not, and one with another enrolls nobody. Only agent.toml
    // can say otherwise.
    Result<Identity> enroll(const EnrollmentWish& wish, const IdentityStore& store);

    // Whether somebody has put a token there for an agent that the control plane does not know any
    // more: it was removed, or the server came back from a backup from before. Both are needed, and
    // it has to be the control plane's own word: an outage or a wrong clock enrolls nobody.
    bool is_to_enroll_again(
        const EnrollmentWish& wish, const Identity& identity, const crypto::Ed25519Key& key,
        const Clock& clock
    );

 private:
    Result<Identity> ask(const EnrollmentRequest& request, ControlPlane& control_plane);

    net::HttpClient& http_;
    Random& random_;
    const StopSignal& stop_;
};

}  // namespace synapsex::agent
