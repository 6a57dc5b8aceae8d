-- For the pruner, which takes those that expired longest ago.
CREATE INDEX agent_registry_enrollment_tokens_by_expiry
    ON agent_registry_enrollment_tokens (expires_at);
