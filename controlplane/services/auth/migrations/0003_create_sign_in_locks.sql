-- Who has failed to sign in so often that the next try has to wait: accounts, addresses and pairs
-- of them, by a hash, whether such an account exists or not. A row is written when a wait begins,
-- not for each try.
CREATE TABLE auth_sign_in_locks (
    lock_id      TEXT NOT NULL PRIMARY KEY,
    failures     ${int} NOT NULL,
    failed_at    ${int} NOT NULL,
    forgotten_at ${int} NOT NULL
) ${strict};

CREATE INDEX auth_sign_in_locks_by_end ON auth_sign_in_locks (forgotten_at);
