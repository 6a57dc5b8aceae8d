#pragma once

// What the agent says and hears, free of wire formats: agent/transport maps these to protobuf and
// JSON. The meaning of each member stands in shared/proto/agent/v1/agent.proto.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/ids.hpp"
#include "shared/base/time.hpp"

namespace synapsex::agent {

inline constexpr std::chrono::seconds kSlotLength{15};

// The number of the slot that `instant` falls into.
std::int64_t slot_of(Timestamp instant);
Timestamp start_of_slot(std::int64_t slot);

// Who this agent is, for good. Received once, at enrollment.
struct Identity {
    AgentId agent_id;
    VmId vm_id;
    TenantId tenant_id;
    std::string url;     // of the control plane, without a slash at its end
    std::string issuer;  // audience of the assertions that fetch access tokens
    std::string server_incarnation;  // at enrollment; heartbeats learn later ones
    // From the token that a person gave to this machine, never from the control plane: what its
    // authority has to be (crypto/public_key_pin.hpp), with the one that follows it, if one does;
    // and the fingerprint of the operators' trust root. Empty: none was given.
    std::vector<std::string> authority_pins{};
    std::string authority_pin_setting{};  // of agent.toml, that authority_pins began with
    std::string trust_root{};

    friend bool operator==(const Identity&, const Identity&) = default;
};

// The pins in force. `setting` is authority_pin of agent.toml (empty: no pin): it takes the place
// of what was pinned, once, so that an authority that follows on that one's signature is not
// forgotten at the next start.
std::vector<std::string> pins_of(
    const Identity& identity, const std::optional<std::string>& setting
);

struct EnrollmentRequest {
    std::string token;
    std::string name;
    std::string public_key;  // base64url of the raw 32 bytes
    std::string boot_id;
    std::string agent_version;
};

// A token that lives shorter is no token: fetching it again and again would be a busy loop.
inline constexpr std::chrono::seconds kTokenLifetimeMin{30};

struct AccessToken {
    std::string text;
    std::chrono::seconds lifetime{};
};

// A telemetry sample as it travels and as it is spooled: only the codec looks inside.
struct EncodedSample {
    std::int64_t slot = 0;
    std::string bytes;

    friend bool operator==(const EncodedSample&, const EncodedSample&) = default;
};

// What waits in the spool.
struct Backlog {
    std::size_t samples = 0;
    std::size_t bytes = 0;
};

struct SectionHash {
    std::string section;
    std::string hash;

    friend bool operator==(const SectionHash&, const SectionHash&) = default;
};

// A section of the inventory as it is signed and sent.
struct EncodedSection {
    std::string hash;
    std::string bytes;
};

// Of whom a section is, and when it is said, by the control plane's clock as far as it is known.
struct ReportedSection {
    AgentId agent_id;
    std::string section;
    std::string content;  // EncodedSection::bytes
    Timestamp signed_at{};
};

// What the control plane is told of a pause (agent/pause/pause.hpp).
struct PauseNotice {
    Timestamp since{};
    std::optional<Timestamp> until{};
    std::string reason{};

    friend bool operator==(const PauseNotice&, const PauseNotice&) = default;
};

struct Heartbeat {
    std::uint64_t sequence = 0;
    std::string boot_id{};
    std::string agent_version{};
    std::vector<std::uint32_t> capabilities{};
    std::chrono::seconds hold{};
    std::vector<SectionHash> hashes{};
    std::vector<EncodedSample> telemetry{};
    std::uint64_t spool_dropped_samples = 0;
    std::string goodbye{};
    std::string server_incarnation{};
    std::string executor{};
    std::optional<PauseNotice> pause{};
};

// The key that is to replace the one the agent signs with, and the signatures of both over
// crypto::KeyChange. All but the id in base64url.
struct KeyOffer {
    std::string public_key;
    std::string former_key_id;
    std::string signature;  // by the key that is replaced
    std::string proof;      // by the new one
};

struct HeartbeatAnswer {
    Timestamp server_time{};
    std::string server_incarnation{};
    std::int64_t stored_through_slot = 0;
    std::vector<std::string> want_sections{};
    std::chrono::milliseconds next_after{};
    std::chrono::seconds hold_max{};  // zero: the server states none
    Timestamp live_until{};           // the epoch: not live
    bool rotate_key = false;          // the agent is to replace its key
    std::string reason{};
};

// Why a call brought no answer that counts.
struct CallFailure {
    enum class Kind {
        unreachable,  // no connection, no trust, no name
        timeout,
        cut,         // the connection ended before the answer did
        refused,     // a status outside 2xx; `status` and `code` say which
        unreadable,  // a 2xx whose body makes no sense
        canceled,    // by ourselves
    };
    Kind kind = Kind::unreachable;
    int status = 0;
    std::string code{};    // stable, of the problem document or of the HTTP client
    std::string detail{};  // for people
    std::optional<std::chrono::seconds> retry_after{};
    std::optional<Timestamp> server_time{};  // the server's clock, where the refusal is about time
};

}  // namespace synapsex::agent
