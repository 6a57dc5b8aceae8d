-- Tenants, and who belongs to them. A user is known here by id only; auth-service owns users.
CREATE TABLE tenant_tenants (
    tenant_id  ${id} NOT NULL PRIMARY KEY,
    slug       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    created_at ${int} NOT NULL,
    updated_at ${int} NOT NULL
) ${strict};

CREATE TABLE tenant_members (
    tenant_id  ${id} NOT NULL REFERENCES tenant_tenants (tenant_id),
    user_id    ${id} NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'owner')),
    created_at ${int} NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) ${strict};

-- A user's tenants: asked for at every sign-in and every authentication.
CREATE INDEX tenant_members_by_user ON tenant_members (user_id, tenant_id);
