-- A session ends in three ways besides being revoked: at its token's end, when nobody uses it, and at an
-- absolute end that no refresh moves. The defaults serve the release before this one, which sets neither.
ALTER TABLE sessions
    ADD COLUMN last_seen_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN absolute_expires_at timestamptz NOT NULL DEFAULT now() + interval '90 days';
