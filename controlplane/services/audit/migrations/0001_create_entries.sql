-- The audit log. An entry is a message of an outbox, in the order of its tenant: 1, 2, 3 without a
-- gap. What is here stays as it is; how old entries may go one day stands in the README.
CREATE TABLE audit_entries (
    tenant_id       ${id} NOT NULL,  -- empty: of the installation
    sequence        ${int} NOT NULL,
    entry_id        ${id} NOT NULL,  -- the message's
    occurred_at     ${int} NOT NULL,
    recorded_at     ${int} NOT NULL,
    action          TEXT NOT NULL,
    subject         TEXT NOT NULL,
    actor           TEXT NOT NULL,   -- JSON, who asked first
    on_behalf_of    TEXT NOT NULL,
    request_id      TEXT NOT NULL,
    decision_id     TEXT NOT NULL,
    client_address  TEXT NOT NULL,
    argument_digest TEXT NOT NULL,
    data            TEXT NOT NULL,   -- JSON
    hash            TEXT NOT NULL,   -- of the message's line in its outbox,
    prev_hash       TEXT NOT NULL,   -- and of the line before it
    PRIMARY KEY (tenant_id, sequence)
) ${strict};

-- By it a message that comes again is known.
CREATE UNIQUE INDEX audit_entries_by_id ON audit_entries (tenant_id, entry_id);
CREATE INDEX audit_entries_by_time ON audit_entries (tenant_id, occurred_at, sequence);

${append_only audit_entries};

-- The last number that each tenant's entries were given.
CREATE TABLE audit_heads (
    tenant_id ${id} NOT NULL PRIMARY KEY,
    sequence  ${int} NOT NULL
) ${strict};
