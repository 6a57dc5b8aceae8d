-- Columns from `os` on repeat what the inventory says, for lists.
CREATE TABLE vm_registry_vms (
    tenant_id ${id} NOT NULL,
    vm_id ${id} NOT NULL,
    agent_id ${id} NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'unknown' CHECK (state IN (
        'unknown', 'online', 'degraded', 'late', 'offline', 'lost', 'updating', 'rebooting',
        'pending', 'quarantined')),
    last_seen_at ${int},
    os TEXT NOT NULL DEFAULT '',
    kernel TEXT NOT NULL DEFAULT '',
    architecture TEXT NOT NULL DEFAULT '',
    cpu_threads ${int} NOT NULL DEFAULT 0,
    memory_total_bytes ${int} NOT NULL DEFAULT 0,
    disk_total_bytes ${int} NOT NULL DEFAULT 0,
    packages ${int} NOT NULL DEFAULT 0,
    created_at ${int} NOT NULL,
    updated_at ${int} NOT NULL,
    PRIMARY KEY (tenant_id, vm_id)
) ${strict};

-- One row a section; the body is JSON of the struct in inventory.hpp.
CREATE TABLE vm_registry_sections (
    tenant_id ${id} NOT NULL,
    vm_id ${id} NOT NULL,
    section TEXT NOT NULL,
    hash TEXT NOT NULL,
    truncated ${int} NOT NULL CHECK (truncated IN (0, 1)),
    body TEXT NOT NULL,
    updated_at ${int} NOT NULL,
    PRIMARY KEY (tenant_id, vm_id, section)
) ${strict};

-- Telemetry in chunks of 40 slots (10 minutes); the format is in sample_chunk.cpp. Kept for the
-- retention of the service and pruned by it.
CREATE TABLE vm_registry_chunks (
    tenant_id ${id} NOT NULL,
    vm_id ${id} NOT NULL,
    first_slot ${int} NOT NULL,
    samples ${bytes} NOT NULL,
    PRIMARY KEY (tenant_id, vm_id, first_slot)
) ${strict};

CREATE INDEX vm_registry_chunks_by_age ON vm_registry_chunks (first_slot);
