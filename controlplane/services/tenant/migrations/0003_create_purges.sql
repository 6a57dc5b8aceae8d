-- What became of tenants that were deleted: it outlives them.
CREATE TABLE tenant_purges (
    tenant_id    ${id} NOT NULL PRIMARY KEY,
    slug         TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at ${int} NOT NULL,
    started_at   ${int} NOT NULL,
    finished_at  ${int},               -- NULL: rows are still there
    certificate  TEXT NOT NULL DEFAULT '',
    sha256       TEXT NOT NULL DEFAULT ''
) ${strict};

-- Of a purge: how many rows each table had when its service began to remove them.
CREATE TABLE tenant_purge_counts (
    tenant_id  ${id} NOT NULL,
    table_name TEXT NOT NULL,
    row_count  ${int} NOT NULL,
    PRIMARY KEY (tenant_id, table_name)
) ${strict};
