-- Answers to requests with an Idempotency-Key, written in the transaction of the effect. `answer` is
-- sealed with a key made from the client's own Idempotency-Key, of which only a hash stands here.
CREATE TABLE platform_stored_answers (
    tenant_id    TEXT NOT NULL,  -- empty: the caller acts in none
    principal    TEXT NOT NULL,
    operation    TEXT NOT NULL,
    key_hash     TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status       ${int} NOT NULL,
    answer       TEXT NOT NULL,
    expires_at   ${int} NOT NULL,
    PRIMARY KEY (tenant_id, principal, operation, key_hash)
) ${strict};

CREATE INDEX platform_stored_answers_by_expiry ON platform_stored_answers (expires_at);
