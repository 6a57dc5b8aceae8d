-- The hash of the content that was signed. Where it is not the row's hash, what is shown is not what
-- was signed: a release that keeps no signatures wrote it. What was stored before is asked for again.
ALTER TABLE vm_registry_sections ADD COLUMN signed_hash TEXT NOT NULL DEFAULT '';
