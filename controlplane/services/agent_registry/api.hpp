#pragma once

// /v1/agents: enrollment, heartbeats, and the agents themselves. An agent is the daemon on a VM.

#include <optional>
#include <string>
#include <vector>

#include "controlplane/platform/api/codec.hpp"
#include "controlplane/platform/api/operation.hpp"
#include "controlplane/platform/api/page.hpp"
#include "controlplane/services/vm_registry/inventory.hpp"
#include "shared/base/bounded.hpp"
#include "shared/base/ids.hpp"

namespace synapsex::agent_registry {

using vm_registry::SectionName;
using vm_registry::State;

struct CreateEnrollmentToken {
    std::optional<Name<1, 100>> name{};
    Default<Int<1, 1000>, 1> uses{};
    Default<Int<60, 30 * 86400>, 3600> ttl_seconds{};
};
BOOST_DESCRIBE_STRUCT(CreateEnrollmentToken, (), (name, uses, ttl_seconds))

struct EnrollmentToken {
    EnrollmentTokenId id{};
    std::string name{};
    std::int64_t uses_max = 1;
    std::int64_t uses = 0;
    Timestamp created_at{};
    Timestamp expires_at{};
    std::optional<Timestamp> revoked_at{};
};
BOOST_DESCRIBE_STRUCT(
    EnrollmentToken, (), (id, name, uses_max, uses, created_at, expires_at, revoked_at)
)

struct CreatedEnrollmentToken {
    EnrollmentTokenId id{};
    std::string name{};
    std::int64_t uses_max = 1;
    Timestamp created_at{};
    Timestamp expires_at{};
    std::string token{};  // sxe_…: shown here and never again
};
BOOST_DESCRIBE_STRUCT(
    CreatedEnrollmentToken, (), (id, name, uses_max, created_at, expires_at, token)
)

struct ListEnrollmentTokens {
    api::PageLimit limit{};
    std::optional<api::Cursor> cursor{};
};
BOOST_DESCRIBE_STRUCT(ListEnrollmentTokens, (), (limit, cursor))

struct EnrollmentTokenPage {
    std::vector<EnrollmentToken> items{};
    std::optional<std::string> next_cursor{};
};
BOOST_DESCRIBE_STRUCT(EnrollmentTokenPage, (), (items, next_cursor))

struct EnrollmentTokenPath {
    EnrollmentTokenId token_id{};
};
BOOST_DESCRIBE_STRUCT(EnrollmentTokenPath, (), (token_id))

struct Enroll {
    Text<1, 200> token{};
    Name<1, 100> name{};           // the VM's host name, or what its operator calls it
    Text<43, 43> public_key{};     // Ed25519, raw 32 bytes in base64url
    Text<0, 64> boot_id{};
    Text<1, 64> agent_version{};
    Text<1, 32> platform{};        // "linux", "windows"
    std::optional<TenantId> tenant_id{};  // where it is given, the token has to be of this tenant
};
BOOST_DESCRIBE_STRUCT(
    Enroll, (), (token, name, public_key, boot_id, agent_version, platform, tenant_id)
)

struct Enrolled {
    AgentId agent_id{};
    VmId vm_id{};
    TenantId tenant_id{};
    std::string issuer{};  // the audience of the agent's assertions
    std::string server_incarnation{};
};
BOOST_DESCRIBE_STRUCT(Enrolled, (), (agent_id, vm_id, tenant_id, issuer, server_incarnation))

struct ProveTime {
    Text<43, 43> nonce{};  // 32 random bytes in base64url
};
BOOST_DESCRIBE_STRUCT(ProveTime, (), (nonce))

// crypto::TimeProof
struct ProvenTime {
    Timestamp time{};
    std::string public_key{};
    std::string signature{};
};
BOOST_DESCRIBE_STRUCT(ProvenTime, (), (time, public_key, signature))

struct AgentConfig {};
BOOST_DESCRIBE_STRUCT(AgentConfig, (), ())

// The Ed25519 key that an agent proves itself with. Ids are the beginning of RFC 7638 thumbprints.
struct AgentKey {
    std::string id{};
    Timestamp since{};
    std::optional<std::string> next_id{};       // registered by the agent, and not used yet
    std::optional<Timestamp> wanted_at{};       // an operator wants another key since then
};
BOOST_DESCRIBE_STRUCT(AgentKey, (), (id, since, next_id, wanted_at))

// A local administrator has stopped work on the VM.
struct VmPause {
    std::optional<Timestamp> since{};
    std::optional<Timestamp> until{};
    std::string reason{};
};
BOOST_DESCRIBE_STRUCT(VmPause, (), (since, until, reason))

// The record that clients of /v1/agents know. model, tools and config will say what an AI task may
// use on this VM; until then they are empty.
struct Agent {
    AgentId id{};
    std::string name{};
    VmId vm_id{};
    std::string type = "vm";
    std::optional<std::string> model{};
    std::vector<std::string> tools{};
    State status = State::unknown;
    std::string description{};
    AgentConfig config{};
    std::string version{};
    std::vector<std::int64_t> capabilities{};
    AgentKey key{};
    std::optional<VmPause> pause{};
    std::optional<Timestamp> last_seen_at{};
    Timestamp created_at{};
    Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(
    Agent, (),
    (id, name, vm_id, type, model, tools, status, description, config, version, capabilities,
     key, pause, last_seen_at, created_at, updated_at)
)

struct ListAgents {
    api::PageLimit limit{};
    std::optional<api::Cursor> cursor{};
    std::optional<State> status{};
};
BOOST_DESCRIBE_STRUCT(ListAgents, (), (limit, cursor, status))

using AgentList = std::vector<Agent>;  // a bare array; the cursor stands in Link

struct AgentPath {
    AgentId agent_id{};
};
BOOST_DESCRIBE_STRUCT(AgentPath, (), (agent_id))

struct UpdateAgent {
    AgentId agent_id{};
    std::optional<Name<1, 100>> name{};
    std::optional<Text<0, 500>> description{};
};
BOOST_DESCRIBE_STRUCT(UpdateAgent, (), (agent_id, name, description))

struct Removed {
    bool success = true;
};
BOOST_DESCRIBE_STRUCT(Removed, (), (success))

struct SectionHash {
    SectionName section = SectionName::os;
    Text<1, 64> hash{};
};
BOOST_DESCRIBE_STRUCT(SectionHash, (), (section, hash))

inline constexpr std::size_t kCapabilitiesMax = 64;

// shared/proto/agent/v1/agent.proto, HeartbeatRequest.
struct Heartbeat {
    AgentId agent_id{};
    std::int64_t sequence = 0;
    std::string boot_id{};
    std::string agent_version{};
    List<std::int64_t, kCapabilitiesMax> capabilities{};
    std::int64_t hold_seconds = 0;
    List<SectionHash, kCapabilitiesMax> hashes{};
    List<vm_registry::TelemetrySample, vm_registry::kSamplesMax> telemetry{};
    std::int64_t spool_dropped_samples = 0;
    std::string goodbye{};
    std::string server_incarnation{};
    std::string executor{};
    std::optional<VmPause> pause{};
};
BOOST_DESCRIBE_STRUCT(
    Heartbeat, (),
    (agent_id, sequence, boot_id, agent_version, capabilities, hold_seconds, hashes, telemetry,
     spool_dropped_samples, goodbye, server_incarnation, executor, pause)
)

struct HeartbeatAnswer {
    Timestamp server_time{};
    std::string server_incarnation{};
    std::int64_t stored_through_slot = 0;
    std::vector<SectionName> want_sections{};
    std::int64_t next_after_ms = 0;
    std::int64_t hold_seconds = 0;
    std::optional<Timestamp> live_until{};
    bool rotate_key = false;
    std::string reason{};
};
BOOST_DESCRIBE_STRUCT(
    HeartbeatAnswer, (),
    (server_time, server_incarnation, stored_through_slot, want_sections, next_after_ms,
     hold_seconds, live_until, rotate_key, reason)
)

struct KeyWanted {
    AgentId agent_id{};
    std::string key_id{};  // of the key that is to be replaced
    Timestamp wanted_at{};
};
BOOST_DESCRIBE_STRUCT(KeyWanted, (), (agent_id, key_id, wanted_at))

// Both signatures are over crypto::KeyChange.
struct PutKey {
    AgentId agent_id{};
    Text<43, 43> public_key{};     // Ed25519, raw 32 bytes in base64url
    Text<16, 16> former_key_id{};  // of the key that it replaces
    Text<86, 86> signature{};      // by that one
    Text<86, 86> proof{};          // by the new one
};
BOOST_DESCRIBE_STRUCT(PutKey, (), (agent_id, public_key, former_key_id, signature, proof))

struct KeyTaken {
    std::string key_id{};
    std::string former_key_id{};
    Timestamp former_key_until{};
};
BOOST_DESCRIBE_STRUCT(KeyTaken, (), (key_id, former_key_id, former_key_until))

// SignedSection of agent.proto.
struct PutInventory {
    AgentId agent_id{};
    SectionName section = SectionName::os;
    Text<1, 1'400'000> content{};  // InventoryContent as protobuf, in base64url
    Timestamp signed_at{};
    Text<16, 16> key_id{};
    Text<86, 86> signature{};      // over crypto::SectionReport
};
BOOST_DESCRIBE_STRUCT(
    PutInventory, (), (agent_id, section, content, signed_at, key_id, signature)
)

// InventorySection of agent.proto: exactly the member that the section names. Protobuf only.
struct InventoryContent {
    bool truncated = false;
    std::optional<vm_registry::Os> os{};
    std::optional<vm_registry::Cpu> cpu{};
    std::optional<vm_registry::Memory> memory{};
    std::optional<vm_registry::Disks> disks{};
    std::optional<vm_registry::Filesystems> filesystems{};
    std::optional<vm_registry::Network> network{};
    std::optional<vm_registry::Packages> packages{};
};
BOOST_DESCRIBE_STRUCT(
    InventoryContent, (), (truncated, os, cpu, memory, disks, filesystems, network, packages)
)

inline constexpr api::Operation<CreateEnrollmentToken, CreatedEnrollmentToken> kCreateToken{
    .id = "agents.enrollment_tokens.create",
    .method = api::Verb::post,
    .path = "/v1/agents/enrollment-tokens",
    .access = auth::user("enrollment_tokens.write"),
    .success = 201,
    .summary = "Make an enrollment token; the answer is the only one that shows it."};
inline constexpr api::Operation<ListEnrollmentTokens, EnrollmentTokenPage> kListTokens{
    .id = "agents.enrollment_tokens.list", .path = "/v1/agents/enrollment-tokens",
    .access = auth::user("enrollment_tokens.read"),
    .summary = "List enrollment tokens, newest last."};
inline constexpr api::Operation<EnrollmentTokenPath, api::None> kRevokeToken{
    .id = "agents.enrollment_tokens.revoke", .method = api::Verb::delete_,
    .path = "/v1/agents/enrollment-tokens/{tokenId}",
    .access = auth::in_any_standing(auth::user("enrollment_tokens.write")),
    .replay = api::Replay::natural,
    .summary = "Revoke an enrollment token. Agents that it enrolled stay."};
inline constexpr api::Operation<Enroll, Enrolled> kEnroll{
    .id = "agents.enroll", .method = api::Verb::post, .path = "/v1/agents/enroll",
    .access = auth::proof(), .success = 201, .replay = api::Replay::natural,
    .unknown = api::Unknown::ignore, .summary = "Enroll an agent with a key made on its host.",
    .description = "Repeating it with the same token and key answers the same agent, so a lost "
                   "answer costs nothing."};
inline constexpr api::Operation<ProveTime, ProvenTime> kProveTime{
    .id = "agents.prove_time", .method = api::Verb::post, .path = "/v1/agents/time",
    .access = auth::anyone(), .replay = api::Replay::none, .runs = api::Runs::inline_,
    .unknown = api::Unknown::ignore, .body_bytes_max = 1024,
    .summary = "Prove the time to an agent whose clock is wrong.",
    .description = "Signed by the key of the authority that agents pin, for this nonce alone. 404 "
                   "agents.no_authority: the server has a certificate of another authority, or "
                   "none."};
inline constexpr api::Operation<Heartbeat, HeartbeatAnswer> kHeartbeat{
    .id = "agents.heartbeat",
    .method = api::Verb::post,
    .path = "/v1/agents/{agentId}/heartbeat",
    .access = auth::agent(),
    .body = api::BodyKind::protobuf,
    .replay = api::Replay::natural,
    .unknown = api::Unknown::ignore,
    .summary = "Report that the agent lives; held until there is work for it.",
    .description =
        "A long poll: telemetry in the request is committed first, then the answer "
        "waits up to holdSeconds. A newer heartbeat of the same agent ends an older one."};
inline constexpr api::Operation<PutInventory, api::None> kPutInventory{
    .id = "agents.inventory.put", .method = api::Verb::put,
    .path = "/v1/agents/{agentId}/inventory/{section}", .access = auth::agent(),
    .body = api::BodyKind::protobuf, .replay = api::Replay::natural,
    .unknown = api::Unknown::ignore,
    .body_bytes_max = 512 * 1024,  // compressed: 5,000 packages are more than the usual 64 KiB
    .summary = "Report one section of the VM's inventory, signed with the agent's key.",
    .description = "An access token alone reports nothing: 422 inventory.signature_invalid. What "
                   "is stored is never replaced by what was signed earlier: 409 inventory.older."};
inline constexpr api::Operation<AgentPath, KeyWanted> kRotateKey{
    .id = "agents.rotate_key", .method = api::Verb::post, .path = "/v1/agents/{agentId}/rotate-key",
    .access = auth::user("agents.write"), .success = 202, .replay = api::Replay::natural,
    .summary = "Have an agent replace its key, with its next heartbeat.",
    .description = "The agent makes a key on its host and registers it; the former one counts "
                   "until the new one is used, at most 24 h. GET the agent to see the new key. "
                   "409 agents.capability_missing: the agent's release does not know how."};
inline constexpr api::Operation<PutKey, KeyTaken> kPutKey{
    .id = "agents.key.put", .method = api::Verb::put, .path = "/v1/agents/{agentId}/key",
    .access = auth::agent(), .replay = api::Replay::natural, .unknown = api::Unknown::ignore,
    .summary = "Register the key that follows the agent's.",
    .description = "Signed by both keys, so neither an access token alone nor a public key of "
                   "somebody else's will do. The new key takes over when it first buys an access "
                   "token; until then, and for 24 h at most, the former one counts as well. "
                   "Repeating it changes nothing."};
inline constexpr api::Operation<ListAgents, AgentList> kListAgents{
    .id = "agents.list", .path = "/v1/agents", .access = auth::user("agents.read"),
    .summary = "List agents. The next page is in the Link header.",
    .description = "A bare array, and `status` for what other answers call `state`: that is how "
                   "known clients have it. The next page is in the Link header."};
inline constexpr api::Operation<AgentPath, Agent> kGetAgent{
    .id = "agents.get", .path = "/v1/agents/{agentId}", .access = auth::user("agents.read"),
    .summary = "Read an agent."};
inline constexpr api::Operation<UpdateAgent, Agent> kUpdateAgent{
    .id = "agents.update", .method = api::Verb::put, .path = "/v1/agents/{agentId}",
    .access = auth::user("agents.write"), .replay = api::Replay::natural,
    .summary = "Rename or describe an agent and its VM."};
inline constexpr api::Operation<AgentPath, Removed> kRemoveAgent{
    .id = "agents.remove", .method = api::Verb::delete_, .path = "/v1/agents/{agentId}",
    .access = auth::user("agents.write"), .replay = api::Replay::natural,
    .summary = "Remove an agent and its VM. Its key is refused from then on."};

}  // namespace synapsex::agent_registry

// The messages that also travel as protobuf; bodies in protobuf_codec.cpp.
template <>
struct synapsex::api::ProtobufCodec<synapsex::agent_registry::Heartbeat> {
    static Result<Done> decode(std::string_view bytes, agent_registry::Heartbeat& heartbeat);
    static void encode(const agent_registry::Heartbeat& heartbeat, std::string& out);
};
template <>
struct synapsex::api::ProtobufCodec<synapsex::agent_registry::HeartbeatAnswer> {
    static Result<Done> decode(std::string_view bytes, agent_registry::HeartbeatAnswer& answer);
    static void encode(const agent_registry::HeartbeatAnswer& answer, std::string& out);
};
template <>
struct synapsex::api::ProtobufCodec<synapsex::agent_registry::PutInventory> {
    static Result<Done> decode(std::string_view bytes, agent_registry::PutInventory& inventory);
};
template <>
struct synapsex::api::ProtobufCodec<synapsex::agent_registry::InventoryContent> {
    static Result<Done> decode(std::string_view bytes, agent_registry::InventoryContent& content);
};
