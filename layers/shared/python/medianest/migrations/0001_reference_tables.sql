-- The five tables of the reference, and the ones that its rules need to hold under concurrency.

-- Set for the role and not per connection: a session SET would pin the connection behind RDS Proxy.
DO $$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY[
        'statement_timeout = ''3s''',
        'lock_timeout = ''1s''',
        'idle_in_transaction_session_timeout = ''5s'''
    ] LOOP
        EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET ', current_database()) || setting;
    END LOOP;
END
$$;

CREATE TABLE users (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Identity is the numeric Plex id: e-mail addresses and names change hands.
    plex_id    bigint UNIQUE,
    email      text NOT NULL,
    username   text NOT NULL,
    role       text NOT NULL DEFAULT 'user' CHECK (role IN ('admin', 'user')),
    status     text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX users_created ON users (created_at, id);

CREATE TABLE sessions (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    ip         inet NOT NULL,
    user_agent text NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE INDEX sessions_revocation ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- A sign-in that was begun and not finished. Deleting its row is what makes a handle work once.
CREATE TABLE signin_handles (
    handle_hash bytea PRIMARY KEY,
    plex_pin_id bigint NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX signin_handles_expiry ON signin_handles (expires_at);

CREATE TABLE media_requests (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    media_type   text NOT NULL CHECK (media_type IN ('movie', 'tv')),
    tmdb_id      integer NOT NULL CHECK (tmdb_id > 0),
    title        text NOT NULL,
    status       text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'declined')),
    comment      text,
    reason       text,
    requested_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    processed_by uuid REFERENCES users ON DELETE SET NULL,
    CHECK ((status = 'pending') = (processed_at IS NULL))
);
CREATE INDEX media_requests_user ON media_requests (user_id, requested_at DESC, id);
CREATE INDEX media_requests_recent ON media_requests (requested_at DESC, id);
CREATE INDEX media_requests_status ON media_requests (status, requested_at DESC, id);

-- What a request holds: its film, or each of its seasons. Active rows are pending or approved.
CREATE TABLE request_items (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES media_requests ON DELETE CASCADE,
    media_type text NOT NULL CHECK (media_type IN ('movie', 'tv')),
    tmdb_id    integer NOT NULL,
    season     integer CHECK (season >= 0),
    active     boolean NOT NULL DEFAULT true,
    CHECK ((media_type = 'tv') = (season IS NOT NULL))
);
CREATE INDEX request_items_request ON request_items (request_id);
-- One active request for a film, and for a season of a show, over all users.
CREATE UNIQUE INDEX request_items_active_movie ON request_items (tmdb_id)
    WHERE active AND media_type = 'movie';
CREATE UNIQUE INDEX request_items_active_season ON request_items (tmdb_id, season)
    WHERE active AND media_type = 'tv';

CREATE TABLE idempotency_keys (
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key         text NOT NULL,
    fingerprint bytea NOT NULL,
    response    jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE audit_logs (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     uuid REFERENCES users ON DELETE SET NULL,
    action      text NOT NULL,
    target_type text,
    target_id   text,
    details     jsonb NOT NULL DEFAULT '{}',
    request_id  text NOT NULL,
    ip          inet NOT NULL,
    user_agent  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_logs_recent ON audit_logs (created_at DESC, id);
CREATE INDEX audit_logs_user ON audit_logs (user_id, created_at DESC);

CREATE TABLE system_config (
    key        text PRIMARY KEY,
    value      jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by uuid REFERENCES users ON DELETE SET NULL
);
