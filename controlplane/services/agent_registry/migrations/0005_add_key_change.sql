-- An agent that replaces its key: until the next one is used both count, but not for long.
ALTER TABLE agent_registry_agents ADD COLUMN next_public_key TEXT NOT NULL DEFAULT '';
ALTER TABLE agent_registry_agents ADD COLUMN next_key_at ${int};
-- The one before, to tell its user so; and since when public_key is the key, if it is not the first.
ALTER TABLE agent_registry_agents ADD COLUMN former_public_key TEXT NOT NULL DEFAULT '';
ALTER TABLE agent_registry_agents ADD COLUMN key_since ${int};
-- An operator wants the agent to replace its key.
ALTER TABLE agent_registry_agents ADD COLUMN key_wanted_at ${int};
