#include "controlplane/services/agent_registry/store.hpp"

#include <array>

namespace synapsex::agent_registry {

namespace {

using db::Query;

constexpr Query kInsertAgent{"agent_registry.insert_agent", R"sql(
    INSERT INTO agent_registry_agents (tenant_id, agent_id, vm_id, token_id, name, platform,
        public_key, version, boot_id, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10))sql"};

constexpr Query kFindAgent{"agent_registry.find_agent", R"sql(
    SELECT tenant_id, agent_id, vm_id, token_id, name, description, platform, public_key, state,
           last_seen_at, last_sequence, version, capabilities, boot_id, created_at, updated_at,
           removed_at, heard_by, next_public_key, next_key_at, former_public_key,
           key_since, key_wanted_at, pause_since, pause_until, pause_reason
    FROM agent_registry_agents
    WHERE tenant_id = $1 AND agent_id = $2 AND removed_at IS NULL)sql"};

constexpr Query kFindAgentInAnyTenant{"agent_registry.find_agent_in_any_tenant", R"sql(
    SELECT tenant_id, agent_id, vm_id, token_id, name, description, platform, public_key, state,
           last_seen_at, last_sequence, version, capabilities, boot_id, created_at, updated_at,
           removed_at, heard_by, next_public_key, next_key_at, former_public_key,
           key_since, key_wanted_at, pause_since, pause_until, pause_reason
    FROM agent_registry_agents WHERE agent_id = $1)sql"};

constexpr Query kFindEnrolled{"agent_registry.find_enrolled", R"sql(
    SELECT tenant_id, agent_id, vm_id, token_id, name, description, platform, public_key, state,
           last_seen_at, last_sequence, version, capabilities, boot_id, created_at, updated_at,
           removed_at, heard_by, next_public_key, next_key_at, former_public_key,
           key_since, key_wanted_at, pause_since, pause_until, pause_reason
    FROM agent_registry_agents WHERE token_id = $1 AND public_key = $2)sql"};

constexpr Query kListAgents{"agent_registry.list_agents", R"sql(
    SELECT tenant_id, agent_id, vm_id, token_id, name, description, platform, public_key, state,
           last_seen_at, last_sequence, version, capabilities, boot_id, created_at, updated_at,
           removed_at, heard_by, next_public_key, next_key_at, former_public_key,
           key_since, key_wanted_at, pause_since, pause_until, pause_reason
    FROM agent_registry_agents
    WHERE tenant_id = $1 AND agent_id > $2 AND ($3 = '' OR state = $3) AND removed_at IS NULL
    ORDER BY agent_id LIMIT $4)sql"};

constexpr Query kCountAgents{"agent_registry.count_agents", R"sql(
    SELECT count(*) AS agents FROM agent_registry_agents
    WHERE tenant_id = $1 AND removed_at IS NULL)sql"};

constexpr Query kListAllAgents{"agent_registry.list_all_agents", R"sql(
    SELECT tenant_id, agent_id, vm_id, token_id, name, description, platform, public_key, state,
           last_seen_at, last_sequence, version, capabilities, boot_id, created_at, updated_at,
           removed_at, heard_by, next_public_key, next_key_at, former_public_key,
           key_since, key_wanted_at, pause_since, pause_until, pause_reason
    FROM agent_registry_agents WHERE removed_at IS NULL)sql"};

constexpr Query kUpdateAgent{"agent_registry.update_agent", R"sql(
    UPDATE agent_registry_agents SET name = $3, description = $4, updated_at = $5
    WHERE tenant_id = $1 AND agent_id = $2 AND removed_at IS NULL)sql"};

constexpr Query kMarkRemoved{"agent_registry.mark_removed", R"sql(
    UPDATE agent_registry_agents SET removed_at = COALESCE(removed_at, $3)
    WHERE tenant_id = $1 AND agent_id = $2 RETURNING removed_at)sql"};

// An agent whose token is still there could enroll again as somebody new: its row stays.
constexpr Query kListRemoved{"agent_registry.list_removed", R"sql(
    SELECT tenant_id, agent_id FROM agent_registry_agents
    WHERE removed_at < $1 AND NOT EXISTS (
        SELECT 1 FROM agent_registry_enrollment_tokens
        WHERE agent_registry_enrollment_tokens.token_id = agent_registry_agents.token_id)
    ORDER BY removed_at LIMIT $2)sql"};

constexpr Query kDeleteRemoved{"agent_registry.delete_removed", R"sql(
    DELETE FROM agent_registry_agents
    WHERE tenant_id = $1 AND agent_id = $2 AND removed_at IS NOT NULL)sql"};

constexpr Query kWantKey{"agent_registry.want_key", R"sql(
    UPDATE agent_registry_agents SET key_wanted_at = COALESCE(key_wanted_at, $3)
    WHERE tenant_id = $1 AND agent_id = $2 AND removed_at IS NULL RETURNING key_wanted_at)sql"};

constexpr Query kPutNextKey{"agent_registry.put_next_key", R"sql(
    UPDATE agent_registry_agents SET next_public_key = $4, next_key_at = $5, key_wanted_at = NULL
    WHERE tenant_id = $1 AND agent_id = $2 AND removed_at IS NULL AND public_key = $3
        AND next_public_key <> $4)sql"};

// Not where another agent of the same enrollment token has the key: it names one of them.
constexpr Query kAdoptNextKey{"agent_registry.adopt_next_key", R"sql(
    UPDATE agent_registry_agents SET former_public_key = public_key, public_key = next_public_key,
        next_public_key = '', next_key_at = NULL, key_since = $4
    WHERE tenant_id = $1 AND agent_id = $2 AND removed_at IS NULL AND next_public_key = $3
        AND NOT EXISTS (
            SELECT 1 FROM agent_registry_agents AS other
            WHERE other.token_id = agent_registry_agents.token_id AND other.public_key = $3))sql"};

constexpr Query kPutSighting{"agent_registry.put_sighting", R"sql(
    UPDATE agent_registry_agents SET state = $3, last_seen_at = $4, last_sequence = $5,
        version = $6, capabilities = $7, boot_id = $8, heard_by = $9,
        pause_since = $12, pause_until = $13, pause_reason = $14
    WHERE tenant_id = $1 AND agent_id = $2 AND removed_at IS NULL
        AND ($11 OR heard_by = $9 OR heard_by = $10))sql"};

constexpr Query kListReplicas{"agent_registry.list_replicas", R"sql(
    SELECT replica_id FROM agent_registry_replicas WHERE alive_until > $1 ORDER BY replica_id)sql"};
constexpr Query kPutReplica{"agent_registry.put_replica", R"sql(
    INSERT INTO agent_registry_replicas (replica_id, alive_until) VALUES ($1, $2)
    ON CONFLICT (replica_id) DO UPDATE SET alive_until = excluded.alive_until)sql"};
constexpr Query kRemoveReplica{"agent_registry.remove_replica", R"sql(
    DELETE FROM agent_registry_replicas WHERE replica_id = $1)sql"};
constexpr Query kPruneReplicas{"agent_registry.prune_replicas", R"sql(
    DELETE FROM agent_registry_replicas WHERE alive_until <= $1)sql"};

constexpr Query kInsertToken{"agent_registry.insert_token", R"sql(
    INSERT INTO agent_registry_enrollment_tokens (tenant_id, token_id, name, secret_hash, uses_max,
        created_by, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql"};

constexpr Query kFindTokenInAnyTenant{"agent_registry.find_token_in_any_tenant", R"sql(
    SELECT tenant_id, token_id, name, secret_hash, uses_max, uses, created_by, created_at,
           expires_at, revoked_at
    FROM agent_registry_enrollment_tokens WHERE token_id = $1)sql"};

constexpr Query kListTokens{"agent_registry.list_tokens", R"sql(
    SELECT tenant_id, token_id, name, secret_hash, uses_max, uses, created_by, created_at,
           expires_at, revoked_at
    FROM agent_registry_enrollment_tokens WHERE tenant_id = $1 AND token_id > $2
    ORDER BY token_id LIMIT $3)sql"};

constexpr Query kRevokeToken{"agent_registry.revoke_token", R"sql(
    UPDATE agent_registry_enrollment_tokens SET revoked_at = COALESCE(revoked_at, $3)
    WHERE tenant_id = $1 AND token_id = $2 RETURNING revoked_at)sql"};

constexpr Query kClaimTokenUse{"agent_registry.claim_token_use", R"sql(
    UPDATE agent_registry_enrollment_tokens SET uses = uses + 1
    WHERE tenant_id = $1 AND token_id = $2 AND uses < uses_max)sql"};

constexpr Query kCountUsableTokens{"agent_registry.count_usable_tokens", R"sql(
    SELECT COUNT(*) AS count FROM agent_registry_enrollment_tokens
    WHERE tenant_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND uses < uses_max)sql"};
constexpr Query kPruneEndedTokens{"agent_registry.prune_ended_tokens", R"sql(
    DELETE FROM agent_registry_enrollment_tokens
    WHERE tenant_id = $1 AND (revoked_at IS NOT NULL OR expires_at <= $2 OR uses >= uses_max)
        AND token_id NOT IN (
            SELECT token_id FROM agent_registry_enrollment_tokens
            WHERE tenant_id = $1
                AND (revoked_at IS NOT NULL OR expires_at <= $2 OR uses >= uses_max)
            ORDER BY token_id DESC LIMIT $3))sql"};
constexpr Query kPruneExpiredTokens{"agent_registry.prune_expired_tokens", R"sql(
    DELETE FROM agent_registry_enrollment_tokens WHERE token_id IN (
        SELECT token_id FROM agent_registry_enrollment_tokens
        WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))sql"};

constexpr Query kInsertIncarnation{"agent_registry.insert_incarnation", R"sql(
    INSERT INTO agent_registry_server (singleton, incarnation, created_at) VALUES (1, $1, $2)
    ON CONFLICT (singleton) DO NOTHING)sql"};
constexpr Query kFindIncarnation{"agent_registry.find_incarnation", R"sql(
    SELECT incarnation FROM agent_registry_server WHERE singleton = 1)sql"};

constexpr Query kCountRows{"agent_registry.count_rows", R"sql(
    SELECT 'agent_registry_agents' AS "table", count(*) AS rows FROM agent_registry_agents
    WHERE tenant_id = $1
    UNION ALL SELECT 'agent_registry_enrollment_tokens', count(*)
    FROM agent_registry_enrollment_tokens WHERE tenant_id = $1)sql"};
constexpr Query kPurgeAgents{"agent_registry.purge_agents", R"sql(
    DELETE FROM agent_registry_agents WHERE tenant_id = $1)sql"};
constexpr Query kPurgeTokens{"agent_registry.purge_tokens", R"sql(
    DELETE FROM agent_registry_enrollment_tokens WHERE tenant_id = $1)sql"};

constexpr std::array kQueries{
    &kInsertAgent,  &kFindAgent,    &kFindAgentInAnyTenant, &kFindEnrolled,
    &kListAgents,   &kListAllAgents, &kUpdateAgent,         &kMarkRemoved,
    &kPutSighting,  &kInsertToken,  &kFindTokenInAnyTenant, &kListTokens,
    &kRevokeToken,  &kClaimTokenUse, &kCountUsableTokens,   &kPruneEndedTokens,
    &kPruneExpiredTokens, &kInsertIncarnation, &kFindIncarnation,
    &kListReplicas, &kPutReplica,   &kRemoveReplica,        &kPruneReplicas,
    &kListRemoved,  &kDeleteRemoved, &kWantKey,             &kPutNextKey,
    &kAdoptNextKey, &kCountAgents,  &kCountRows,            &kPurgeAgents,
    &kPurgeTokens,
};

}  // namespace

std::optional<Pause> pause_of(const AgentRow& agent) {
    if (!agent.pause_reason) return std::nullopt;
    return Pause{agent.pause_since, agent.pause_until, *agent.pause_reason};
}

std::span<const Query* const> AgentStore::queries() { return kQueries; }

void AgentStore::insert(const AgentRow& agent) {
    session_.execute(
        kInsertAgent, agent.tenant_id, agent.agent_id, agent.vm_id, agent.token_id, agent.name,
        agent.platform, agent.public_key, agent.version, agent.boot_id, agent.created_at
    );
}

std::optional<AgentRow> AgentStore::find(const TenantId& tenant, const AgentId& agent) {
    return session_.find<AgentRow>(kFindAgent, tenant, agent);
}

std::optional<AgentRow> AgentStore::find_in_any_tenant(const AgentId& agent) {
    return session_.find<AgentRow>(kFindAgentInAnyTenant, agent);
}

std::optional<AgentRow> AgentStore::find_enrolled(
    const EnrollmentTokenId& token, std::string_view public_key
) {
    return session_.find<AgentRow>(kFindEnrolled, token, public_key);
}

std::vector<AgentRow> AgentStore::list(
    const TenantId& tenant, std::string_view after, std::string_view state, std::int64_t limit
) {
    return session_.list<AgentRow>(kListAgents, tenant, after, state, limit);
}

std::int64_t AgentStore::count(const TenantId& tenant) {
    return session_.query(kCountAgents, tenant)[0].get<std::int64_t>("agents");
}

std::vector<TableCount> AgentStore::count_rows(const TenantId& tenant) {
    return session_.list<TableCount>(kCountRows, tenant);
}

void AgentStore::remove_rows(const TenantId& tenant) {
    session_.execute(kPurgeAgents, tenant);
    session_.execute(kPurgeTokens, tenant);
}

std::vector<AgentRow> AgentStore::list_all() { return session_.list<AgentRow>(kListAllAgents); }

bool AgentStore::update(
    const TenantId& tenant, const AgentId& agent, std::string_view name,
    std::string_view description, Timestamp now
) {
    return session_.execute(kUpdateAgent, tenant, agent, name, description, now) == 1;
}

std::optional<Timestamp> AgentStore::mark_removed(
    const TenantId& tenant, const AgentId& agent, Timestamp now
) {
    const auto rows = session_.query(kMarkRemoved, tenant, agent, now);
    if (rows.empty()) return std::nullopt;
    return rows[0].get<Timestamp>("removed_at");
}

std::optional<Timestamp> AgentStore::want_key(
    const TenantId& tenant, const AgentId& agent, Timestamp now
) {
    const auto rows = session_.query(kWantKey, tenant, agent, now);
    if (rows.empty()) return std::nullopt;
    return rows[0].get<Timestamp>("key_wanted_at");
}

bool AgentStore::put_next_key(const AgentRow& agent, std::string_view next, Timestamp now) {
    return session_.execute(
               kPutNextKey, agent.tenant_id, agent.agent_id, agent.public_key, next, now
           ) == 1;
}

bool AgentStore::adopt_next_key(const AgentRow& agent, Timestamp now) {
    return session_.execute(
               kAdoptNextKey, agent.tenant_id, agent.agent_id, agent.next_public_key, now
           ) == 1;
}

std::vector<RemovedAgent> AgentStore::list_removed(Timestamp before, std::int64_t limit) {
    return session_.list<RemovedAgent>(kListRemoved, before, limit);
}

void AgentStore::delete_removed(const RemovedAgent& agent) {
    session_.execute(kDeleteRemoved, agent.tenant_id, agent.agent_id);
}

bool AgentStore::put_sighting(
    const Sighting& sighting, std::string_view replica, std::string_view before, bool is_claim
) {
    std::optional<std::string> reason;
    if (sighting.pause) reason = sighting.pause->reason;
    const auto pause = sighting.pause.value_or(Pause{});
    return session_.execute(
               kPutSighting, sighting.tenant_id, sighting.agent_id, sighting.state,
               sighting.last_seen_at, sighting.last_sequence, sighting.version,
               sighting.capabilities, sighting.boot_id, replica, before, is_claim, pause.since,
               pause.until, reason
           ) == 1;
}

std::vector<std::string> AgentStore::list_replicas(Timestamp at) {
    const auto rows = session_.query(kListReplicas, at);
    std::vector<std::string> replicas;
    for (std::size_t i = 0; i < rows.size(); ++i)
        replicas.push_back(rows[i].get<std::string>("replica_id"));
    return replicas;
}

void AgentStore::put_replica(std::string_view replica, Timestamp alive_until) {
    session_.execute(kPutReplica, replica, alive_until);
}

void AgentStore::remove_replica(std::string_view replica) {
    session_.execute(kRemoveReplica, replica);
}

void AgentStore::prune_replicas(Timestamp at) { session_.execute(kPruneReplicas, at); }

void AgentStore::insert_token(const TokenRow& token) {
    session_.execute(
        kInsertToken, token.tenant_id, token.token_id, token.name, token.secret_hash,
        token.uses_max, token.created_by, token.created_at, token.expires_at
    );
}

std::optional<TokenRow> AgentStore::find_token_in_any_tenant(const EnrollmentTokenId& token) {
    return session_.find<TokenRow>(kFindTokenInAnyTenant, token);
}

std::vector<TokenRow> AgentStore::list_tokens(
    const TenantId& tenant, std::string_view after, std::int64_t limit
) {
    return session_.list<TokenRow>(kListTokens, tenant, after, limit);
}

std::optional<Timestamp> AgentStore::revoke_token(
    const TenantId& tenant, const EnrollmentTokenId& token, Timestamp now
) {
    const auto rows = session_.query(kRevokeToken, tenant, token, now);
    if (rows.empty()) return std::nullopt;
    return rows[0].get<Timestamp>("revoked_at");
}

bool AgentStore::claim_token_use(const TenantId& tenant, const EnrollmentTokenId& token) {
    return session_.execute(kClaimTokenUse, tenant, token) == 1;
}

std::int64_t AgentStore::count_usable_tokens(const TenantId& tenant, Timestamp now) {
    return session_.query(kCountUsableTokens, tenant, now)[0].get<std::int64_t>("count");
}

void AgentStore::prune_ended_tokens(const TenantId& tenant, Timestamp now, std::int64_t keep) {
    session_.execute(kPruneEndedTokens, tenant, now, keep);
}

std::int64_t AgentStore::prune_expired_tokens(Timestamp before, std::int64_t limit) {
    return session_.execute(kPruneExpiredTokens, before, limit);
}

std::string AgentStore::get_or_set_incarnation(std::string_view fresh, Timestamp now) {
    session_.execute(kInsertIncarnation, fresh, now);
    return session_.query(kFindIncarnation)[0].get<std::string>("incarnation");
}

}  // namespace synapsex::agent_registry
