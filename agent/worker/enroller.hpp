#pragma once

// Turns an enrollment token into an identity on disk, asking until it is granted, refused for good,
// or the agent is stopped.

#include <optional>
#include <string>

#include "agent/core/enrollment.hpp"
#include "agent/transport/control_plane.hpp"
#include "agent/worker/agent_key_files.hpp"
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

// What is in the token's file. Fails with agent.not_enrolled and what to do about it.
Result<std::string> read_enrollment_token(const std::filesystem::path& path);

class Enroller {
 public:
    Enroller(net::HttpClient& http, Random& random, const StopSignal& stop)
        : http_(http), random_(random), stop_(stop) {}

    // With agent.key, which is made if there is none, or with that key. Fails with
    // agent.not_enrolled and what to do about it. A trust root that this VM has pinned stays: a
    // token without one drops it not, and one with another enrolls nobody. Only agent.toml can say
    // otherwise.
    Result<Identity> enroll(
        const EnrollmentWish& wish, const IdentityStore& store,
        const std::optional<crypto::Ed25519Key>& key = std::nullopt
    );

    // Whether somebody has put a token there for an agent that the control plane does not know any
    // more: it was removed, its VM was put back to a key that was replaced since, or the server
    // came back from a backup from before. Both are needed, and it has to be the control plane's
    // own word: an outage or a wrong clock enrolls nobody.
    enum class Again { no, with_its_key, with_another_key };
    Again is_to_enroll_again(
        const EnrollmentWish& wish, const Identity& identity, const AgentKeys& keys,
        const Clock& clock
    );

 private:
    Result<Identity> ask(const EnrollmentRequest& request, ControlPlane& control_plane);

    net::HttpClient& http_;
    Random& random_;
    const StopSignal& stop_;
};

}  // namespace synapsex::agent
