-- For the pruner, which takes those that were removed longest ago.
CREATE INDEX agent_registry_agents_by_removal ON agent_registry_agents (removed_at)
    WHERE removed_at IS NOT NULL;
