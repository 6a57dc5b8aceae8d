-- A local administrator has stopped work on the VM. pause_reason is NULL where there is no pause.
ALTER TABLE agent_registry_agents ADD COLUMN pause_since ${int};
ALTER TABLE agent_registry_agents ADD COLUMN pause_until ${int};
ALTER TABLE agent_registry_agents ADD COLUMN pause_reason TEXT;
