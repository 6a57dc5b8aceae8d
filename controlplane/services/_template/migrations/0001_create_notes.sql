CREATE TABLE _template_notes (
    tenant_id ${id} NOT NULL,
    note_id ${id} NOT NULL,
    text TEXT NOT NULL,
    created_at ${int} NOT NULL,
    PRIMARY KEY (tenant_id, note_id)
) ${strict};
