-- Which replica heard of the agent last: it alone says when the agent has fallen silent.
ALTER TABLE agent_registry_agents ADD COLUMN heard_by TEXT NOT NULL DEFAULT '';

-- The replicas that live, by the database's clock.
CREATE TABLE agent_registry_replicas (
    replica_id ${id} NOT NULL PRIMARY KEY,
    alive_until ${int} NOT NULL
) ${strict};
