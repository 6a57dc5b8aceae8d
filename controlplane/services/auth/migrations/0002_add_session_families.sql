-- A session is the family of the refresh tokens that it was given. All of them begin with the same
-- characters: whoever shows one that counts no more is recognised by them, though only hashes are
-- kept. Columns that may be NULL are so in sessions of the release before.
ALTER TABLE auth_sessions ADD COLUMN family_hash TEXT;
-- The two tokens that were used last, and when by the clock of the database.
ALTER TABLE auth_sessions ADD COLUMN previous_hash TEXT;
ALTER TABLE auth_sessions ADD COLUMN previous_used_at ${int};
ALTER TABLE auth_sessions ADD COLUMN older_hash TEXT;
ALTER TABLE auth_sessions ADD COLUMN older_used_at ${int};
-- What the previous token was exchanged for, sealed under that token; only for the grace.
ALTER TABLE auth_sessions ADD COLUMN successor TEXT;

-- When the user last gave a password in this session.
ALTER TABLE auth_sessions ADD COLUMN signed_in_at ${int};
-- Of the sign-in or refresh that came last; `place` is the address as limits on sign-ins know it.
ALTER TABLE auth_sessions ADD COLUMN last_address TEXT NOT NULL DEFAULT '';
ALTER TABLE auth_sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE auth_sessions ADD COLUMN place TEXT NOT NULL DEFAULT '';

CREATE INDEX auth_sessions_by_family ON auth_sessions (family_hash);
CREATE INDEX auth_sessions_by_successor ON auth_sessions (previous_used_at)
    WHERE successor IS NOT NULL;
