-- Events, audit records and usage, written in the transaction of the change that they tell of. The
-- relay numbers them and hands them on; what follows actor is as the message had it, what follows
-- sequence is the relay's.
CREATE TABLE platform_outbox (
    message_id      TEXT NOT NULL PRIMARY KEY,
    tenant_id       TEXT NOT NULL,  -- empty: of the installation
    kind            TEXT NOT NULL CHECK (kind IN ('change', 'event', 'audit', 'usage')),
    type            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    subject_version ${int} NOT NULL,
    occurred_at     ${int} NOT NULL,
    actor           TEXT NOT NULL,
    on_behalf_of    TEXT NOT NULL,
    request_id      TEXT NOT NULL,
    decision_id     TEXT NOT NULL,
    argument_digest TEXT NOT NULL,
    client_address  TEXT NOT NULL,
    schema_version  ${int} NOT NULL,
    data            TEXT NOT NULL,
    sequence        ${int},
    prev_hash       TEXT
) ${strict};

CREATE INDEX platform_outbox_unnumbered ON platform_outbox (message_id) WHERE sequence IS NULL;
CREATE UNIQUE INDEX platform_outbox_by_sequence ON platform_outbox (sequence)
    WHERE sequence IS NOT NULL;

-- One row: the last number given, and the hash of the row that has it.
CREATE TABLE platform_outbox_head (
    singleton ${int} NOT NULL PRIMARY KEY CHECK (singleton = 1),
    sequence  ${int} NOT NULL,
    hash      TEXT NOT NULL
) ${strict};
INSERT INTO platform_outbox_head (singleton, sequence, hash) VALUES (1, 0, '');

-- How far each consumer has come.
CREATE TABLE platform_outbox_cursors (
    consumer TEXT NOT NULL PRIMARY KEY,
    sequence ${int} NOT NULL
) ${strict};

-- What a consumer whose tables are in this database has had.
CREATE TABLE platform_inbox (
    consumer   TEXT NOT NULL,
    message_id TEXT NOT NULL,
    seen_at    ${int} NOT NULL,
    PRIMARY KEY (consumer, message_id)
) ${strict};

CREATE INDEX platform_inbox_by_age ON platform_inbox (seen_at);
