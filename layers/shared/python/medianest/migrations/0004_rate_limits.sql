-- The sign-in limits count here while the cache is down. A row is a call that was let through, or
-- the mark of a caller's first refusal in a window.
CREATE TABLE rate_limit_hits (
    key        text NOT NULL,
    at         timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    refused    boolean NOT NULL
);
CREATE INDEX rate_limit_hits_key ON rate_limit_hits (key, at);
CREATE INDEX rate_limit_hits_expiry ON rate_limit_hits (expires_at);

-- Polls of a sign-in that came too fast; too many of them end it.
ALTER TABLE signin_handles ADD COLUMN failures integer NOT NULL DEFAULT 0;
