-- What the agent signed, and with which key (SectionSignature in inventory.hpp; key and signature in
-- base64url). Where signed_hash is not the row's hash, what is shown is not what was signed: it came
-- to a release that did not keep signatures.
ALTER TABLE vm_registry_sections ADD COLUMN content ${bytes};
ALTER TABLE vm_registry_sections ADD COLUMN signed_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE vm_registry_sections ADD COLUMN signed_at ${int};
ALTER TABLE vm_registry_sections ADD COLUMN public_key TEXT NOT NULL DEFAULT '';
ALTER TABLE vm_registry_sections ADD COLUMN signature TEXT NOT NULL DEFAULT '';
