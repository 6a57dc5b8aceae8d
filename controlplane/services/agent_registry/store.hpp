#pragma once

// The SQL of agent-registry-service. No rules, no clock.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "controlplane/platform/db/database.hpp"
#include "controlplane/platform/tenant_purge.hpp"
#include "controlplane/services/vm_registry/public.hpp"

namespace synapsex::agent_registry {

using vm_registry::State;

struct AgentRow {
    TenantId tenant_id;
    AgentId agent_id;
    VmId vm_id;
    EnrollmentTokenId token_id;
    std::string name;
    std::string description;
    std::string platform;
    std::string public_key;  // base64url
    State state = State::unknown;
    std::optional<Timestamp> last_seen_at;
    std::int64_t last_sequence = 0;
    std::string version;
    std::string capabilities;  // numbers with commas between
    std::string boot_id;
    Timestamp created_at{};
    Timestamp updated_at{};
    std::optional<Timestamp> removed_at;
    std::string heard_by;  // the replica that heard of it last
    std::string next_public_key;  // accepted too, until it is used; empty: none
    std::optional<Timestamp> next_key_at;
    std::string former_public_key;  // refused; empty: the key is the first one
    std::optional<Timestamp> key_since;
    std::optional<Timestamp> key_wanted_at;  // an operator wants another key
    std::optional<Timestamp> pause_since;
    std::optional<Timestamp> pause_until;
    std::optional<std::string> pause_reason;  // nullopt: no pause
};
BOOST_DESCRIBE_STRUCT(
    AgentRow, (),
    (tenant_id, agent_id, vm_id, token_id, name, description, platform, public_key, state,
     last_seen_at, last_sequence, version, capabilities, boot_id, created_at, updated_at,
     removed_at, heard_by, next_public_key, next_key_at, former_public_key, key_since,
     key_wanted_at, pause_since, pause_until, pause_reason)
)

struct RemovedAgent {
    TenantId tenant_id;
    AgentId agent_id;
};
BOOST_DESCRIBE_STRUCT(RemovedAgent, (), (tenant_id, agent_id))

struct TokenRow {
    TenantId tenant_id;
    EnrollmentTokenId token_id;
    std::string name;
    std::string secret_hash;
    std::int64_t uses_max = 1;
    std::int64_t uses = 0;
    std::string created_by;
    Timestamp created_at{};
    Timestamp expires_at{};
    std::optional<Timestamp> revoked_at;
};
BOOST_DESCRIBE_STRUCT(
    TokenRow, (),
    (tenant_id, token_id, name, secret_hash, uses_max, uses, created_by, created_at, expires_at,
     revoked_at)
)

// A local administrator has stopped work on the VM.
struct Pause {
    std::optional<Timestamp> since{};  // nullopt: not known
    std::optional<Timestamp> until{};  // nullopt: until somebody there ends it
    std::string reason{};
    friend bool operator==(const Pause&, const Pause&) = default;
};
std::optional<Pause> pause_of(const AgentRow& agent);

// What a heartbeat told of an agent, written behind.
struct Sighting {
    TenantId tenant_id;
    AgentId agent_id;
    State state = State::unknown;
    std::optional<Timestamp> last_seen_at;
    std::int64_t last_sequence = 0;
    std::string version;
    std::string capabilities;
    std::string boot_id;
    std::optional<Pause> pause{};
};

class AgentStore {
 public:
    explicit AgentStore(db::Session& session) : session_(session) {}

    static std::span<const db::Query* const> queries();

    void insert(const AgentRow& agent);
    // Not those that were removed, unless said.
    std::optional<AgentRow> find(const TenantId& tenant, const AgentId& agent);
    std::optional<AgentRow> find_in_any_tenant(const AgentId& agent);  // removed ones too
    std::optional<AgentRow> find_enrolled(
        const EnrollmentTokenId& token, std::string_view public_key
    );  // removed ones too
    // By id, at most `limit`; `state` empty: all.
    std::vector<AgentRow> list(
        const TenantId& tenant, std::string_view after, std::string_view state, std::int64_t limit
    );
    std::int64_t count(const TenantId& tenant);
    // All that is here of a tenant, agents that were removed too.
    std::vector<TableCount> count_rows(const TenantId& tenant);
    void remove_rows(const TenantId& tenant);
    // Of all tenants, for presence.
    std::vector<AgentRow> list_all();
    bool update(
        const TenantId& tenant, const AgentId& agent, std::string_view name,
        std::string_view description, Timestamp now
    );
    // When it was removed: now, or before. nullopt: there is no such agent and never was.
    std::optional<Timestamp> mark_removed(
        const TenantId& tenant, const AgentId& agent, Timestamp now
    );
    // Since when an operator wants it to replace its key. nullopt: there is no such agent.
    std::optional<Timestamp> want_key(const TenantId& tenant, const AgentId& agent, Timestamp now);
    // False: its key is not that of the row any more, or `next` is its next one already.
    bool put_next_key(const AgentRow& agent, std::string_view next, Timestamp now);
    // The next key of the row becomes the key. False: it is not the next one, or another agent's.
    bool adopt_next_key(const AgentRow& agent, Timestamp now);
    // Of all tenants: removed before the instant, and their enrollment token is gone; at most
    // `limit`.
    std::vector<RemovedAgent> list_removed(Timestamp before, std::int64_t limit);
    void delete_removed(const RemovedAgent& agent);
    // Written by `replica`, which has the agent from then on. Without a claim only if the row says
    // still that it was heard of by `before`, or by this replica. False: another has it, or it was
    // removed.
    bool put_sighting(
        const Sighting& sighting, std::string_view replica, std::string_view before, bool is_claim
    );

    // Those that are alive at the instant, in order.
    std::vector<std::string> list_replicas(Timestamp at);
    void put_replica(std::string_view replica, Timestamp alive_until);
    void remove_replica(std::string_view replica);
    // Those that were alive until the instant at most.
    void prune_replicas(Timestamp at);

    void insert_token(const TokenRow& token);
    std::optional<TokenRow> find_token_in_any_tenant(const EnrollmentTokenId& token);
    std::vector<TokenRow> list_tokens(
        const TenantId& tenant, std::string_view after, std::int64_t limit
    );
    // When it was revoked: now, or before. nullopt: there is no such token.
    std::optional<Timestamp> revoke_token(
        const TenantId& tenant, const EnrollmentTokenId& token, Timestamp now
    );
    // Those that admit one more agent now.
    std::int64_t count_usable_tokens(const TenantId& tenant, Timestamp now);
    // All ended tokens of the tenant but the `keep` newest.
    void prune_ended_tokens(const TenantId& tenant, Timestamp now, std::int64_t keep);
    // Tokens of all tenants that expired before the instant; at most `limit`. Returns how many.
    std::int64_t prune_expired_tokens(Timestamp before, std::int64_t limit);
    // False: no use is left.
    bool claim_token_use(const TenantId& tenant, const EnrollmentTokenId& token);

    // The incarnation that stands; `fresh` becomes it if there is none.
    std::string get_or_set_incarnation(std::string_view fresh, Timestamp now);

 private:
    db::Session& session_;
};

}  // namespace synapsex::agent_registry
