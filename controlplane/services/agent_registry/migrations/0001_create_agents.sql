-- state, last_seen_at and what follows are written behind: the truth is in memory.
CREATE TABLE agent_registry_agents (
    tenant_id ${id} NOT NULL,
    agent_id ${id} NOT NULL,
    vm_id ${id} NOT NULL,
    token_id ${id} NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    platform TEXT NOT NULL,
    public_key TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'unknown' CHECK (state IN (
        'unknown', 'online', 'degraded', 'late', 'offline', 'lost', 'updating', 'rebooting',
        'pending', 'quarantined')),
    last_seen_at ${int},
    last_sequence ${int} NOT NULL DEFAULT 0,
    version TEXT NOT NULL,
    capabilities TEXT NOT NULL DEFAULT '',
    boot_id TEXT NOT NULL,
    created_at ${int} NOT NULL,
    updated_at ${int} NOT NULL,
    removed_at ${int},
    PRIMARY KEY (tenant_id, agent_id)
) ${strict};

CREATE UNIQUE INDEX agent_registry_agents_by_id ON agent_registry_agents (agent_id);
-- Enrolling again with the same token and key finds the agent that the first time made.
CREATE UNIQUE INDEX agent_registry_agents_by_token_and_key
    ON agent_registry_agents (token_id, public_key);

CREATE TABLE agent_registry_enrollment_tokens (
    tenant_id ${id} NOT NULL,
    token_id ${id} NOT NULL,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    uses_max ${int} NOT NULL CHECK (uses_max > 0),
    uses ${int} NOT NULL DEFAULT 0 CHECK (uses <= uses_max),
    created_by TEXT NOT NULL,
    created_at ${int} NOT NULL,
    expires_at ${int} NOT NULL,
    revoked_at ${int},
    PRIMARY KEY (tenant_id, token_id)
) ${strict};

CREATE UNIQUE INDEX agent_registry_enrollment_tokens_by_id
    ON agent_registry_enrollment_tokens (token_id);

-- One row: who this server is to its agents. Restoring from a backup makes a new incarnation.
CREATE TABLE agent_registry_server (
    singleton ${int} PRIMARY KEY CHECK (singleton = 1),
    incarnation TEXT NOT NULL,
    created_at ${int} NOT NULL
) ${strict};
