-- Sessions that have ended while the cache may hold them as live. A row stays until the cache has the tombstone.
CREATE TABLE session_tombstones (
    session_id uuid PRIMARY KEY,
    -- No foreign key: the end of a session outlives the deletion of its user.
    user_id    uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX session_tombstones_age ON session_tombstones (created_at);
