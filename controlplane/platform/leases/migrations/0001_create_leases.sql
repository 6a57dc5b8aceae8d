-- Roles that one replica at a time plays. The token grows with every new holder and never goes back.
CREATE TABLE platform_leases (
    name       TEXT NOT NULL PRIMARY KEY,
    holder     TEXT NOT NULL,
    token      ${int} NOT NULL,
    expires_at ${int} NOT NULL
) ${strict};

-- Work that one worker at a time does. While it is claimed, due_at is the end of the claim: work
-- whose worker is gone is due again by itself.
CREATE TABLE platform_work_items (
    queue  TEXT NOT NULL,
    item   TEXT NOT NULL,
    due_at ${int} NOT NULL,
    token  ${int} NOT NULL DEFAULT 0,
    holder TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (queue, item)
) ${strict};

CREATE INDEX platform_work_items_by_due ON platform_work_items (queue, due_at, item);
