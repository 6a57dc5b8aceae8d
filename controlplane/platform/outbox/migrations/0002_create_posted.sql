-- Messages on their way. They replace those of platform_outbox, which the relay empties and which
-- goes with a later contract.

-- As they were committed, waiting for their numbers: the lines of one commit and tenant. A line is
-- a kind, a space, the message as JSON.
CREATE TABLE platform_outbox_posted (
    tenant_id  TEXT NOT NULL,  -- empty: of the installation
    posting_id ${counter},
    messages   ${int} NOT NULL,
    size       ${int} NOT NULL,  -- of the lines, in characters
    lines      TEXT NOT NULL
) ${strict};

-- Numbered: the messages of one kind in one step of the relay. A line is a number, the hash of the
-- line with the number before, the message as JSON.
CREATE TABLE platform_outbox_numbered (
    -- Of messages of all tenants: a value that no transaction has for its own, since one that is of
    -- no tenant has the empty text. So row level security shows them to none.
    tenant_id TEXT NOT NULL CHECK (tenant_id = '*'),
    through   ${int} NOT NULL,  -- the last number that the step gave
    kind      TEXT NOT NULL CHECK (kind IN ('change', 'event', 'audit', 'usage')),
    messages  ${int} NOT NULL,
    size      ${int} NOT NULL,
    lines     TEXT NOT NULL,
    PRIMARY KEY (through, kind)
) ${strict};

-- To count without reading the lines.
CREATE INDEX platform_outbox_numbered_by_messages ON platform_outbox_numbered (messages);
