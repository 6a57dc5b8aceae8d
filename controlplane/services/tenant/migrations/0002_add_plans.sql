-- What a tenant may use, and how it stands. Tenants of a release without plans had no limits of a
-- plan: they keep that.
ALTER TABLE tenant_tenants ADD COLUMN plan TEXT NOT NULL DEFAULT 'enterprise';
ALTER TABLE tenant_tenants ADD COLUMN plan_version ${int} NOT NULL DEFAULT 1;
ALTER TABLE tenant_tenants ADD COLUMN state TEXT NOT NULL DEFAULT 'active'
    CHECK (state IN ('active', 'suspended', 'pending_deletion'));
-- Why, by whom and when it came to be in that state; '' and NULL: it never had another.
ALTER TABLE tenant_tenants ADD COLUMN state_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE tenant_tenants ADD COLUMN state_by TEXT NOT NULL DEFAULT '';
ALTER TABLE tenant_tenants ADD COLUMN state_since ${int};
-- Of pending_deletion: when it may be purged.
ALTER TABLE tenant_tenants ADD COLUMN delete_after ${int};

CREATE TABLE tenant_limits (
    tenant_id  ${id} NOT NULL REFERENCES tenant_tenants (tenant_id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    value      ${int},           -- NULL: unlimited
    reason     TEXT NOT NULL,
    set_by     TEXT NOT NULL,
    set_at     ${int} NOT NULL,
    expires_at ${int},           -- NULL: it does not
    PRIMARY KEY (tenant_id, name)
) ${strict};

-- Of the few that wait for their purge, among all tenants.
CREATE INDEX tenant_tenants_by_delete_after ON tenant_tenants (delete_after)
    WHERE delete_after IS NOT NULL;
