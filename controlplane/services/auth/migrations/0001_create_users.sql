-- Users, and what they, their programs and their agents prove themselves with. Secrets are stored
-- as hashes only: argon2id for passwords, SHA-256 for what is random already.
CREATE TABLE auth_users (
    user_id       ${id} NOT NULL PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    full_name     TEXT NOT NULL,
    -- registering: the user's tenant may not exist yet. abandoned: a sweep is taking it back.
    state         TEXT NOT NULL CHECK (state IN ('registering', 'active', 'abandoned')),
    created_at    ${int} NOT NULL,
    updated_at    ${int} NOT NULL
) ${strict};

-- What sweeps look for: never more than a handful.
CREATE INDEX auth_users_unfinished ON auth_users (updated_at) WHERE state <> 'active';

-- A refresh token belongs to a session and is replaced at each use. A session that has ended has no
-- row.
CREATE TABLE auth_sessions (
    session_id   ${id} NOT NULL PRIMARY KEY,
    user_id      ${id} NOT NULL REFERENCES auth_users (user_id),
    refresh_hash TEXT NOT NULL UNIQUE,
    created_at   ${int} NOT NULL,
    refreshed_at ${int} NOT NULL,
    expires_at   ${int} NOT NULL
) ${strict};

CREATE INDEX auth_sessions_by_user ON auth_sessions (user_id, refreshed_at);
CREATE INDEX auth_sessions_by_expiry ON auth_sessions (expires_at);

CREATE TABLE auth_api_keys (
    tenant_id    ${id} NOT NULL,
    key_id       ${id} NOT NULL,
    user_id      ${id} NOT NULL REFERENCES auth_users (user_id),
    name         TEXT NOT NULL,
    description  TEXT NOT NULL,
    prefix       TEXT NOT NULL,
    secret_hash  TEXT NOT NULL UNIQUE,
    created_at   ${int} NOT NULL,
    last_used_at ${int},
    revoked_at   ${int},
    PRIMARY KEY (tenant_id, key_id)
) ${strict};

CREATE INDEX auth_api_keys_by_user ON auth_api_keys (tenant_id, user_id, key_id);

-- The jti of every assertion taken, until it has expired on any clock that is right enough.
CREATE TABLE auth_used_assertions (
    tenant_id  ${id} NOT NULL,
    agent_id   ${id} NOT NULL,
    jti        TEXT NOT NULL,
    expires_at ${int} NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, jti)
) ${strict};

CREATE INDEX auth_used_assertions_by_expiry ON auth_used_assertions (expires_at);
