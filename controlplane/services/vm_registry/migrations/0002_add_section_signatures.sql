-- What the agent signed, and with which key (SectionSignature in inventory.hpp; key and signature in
-- base64url). NULL and empty: it came to a release that did not keep it.
ALTER TABLE vm_registry_sections ADD COLUMN content ${bytes};
ALTER TABLE vm_registry_sections ADD COLUMN signed_at ${int};
ALTER TABLE vm_registry_sections ADD COLUMN public_key TEXT NOT NULL DEFAULT '';
ALTER TABLE vm_registry_sections ADD COLUMN signature TEXT NOT NULL DEFAULT '';
