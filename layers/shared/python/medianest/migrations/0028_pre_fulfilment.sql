-- What becomes of an approved title: the servers that fetch it, and the jobs that hand it over. docs/fulfilment.md describes both.
CREATE TABLE download_servers (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind         text NOT NULL CHECK (kind IN ('radarr', 'sonarr')),
    name         text NOT NULL CONSTRAINT download_servers_name UNIQUE,
    base_url     text NOT NULL,
    secret_enc   text,
    secret_hint  jsonb,
    is_default   boolean NOT NULL DEFAULT false,
    enabled      boolean NOT NULL DEFAULT true,
    options      jsonb NOT NULL DEFAULT '{}',
    inventory    jsonb,
    inventory_at timestamptz,
    state        text NOT NULL DEFAULT 'unknown' CHECK (state IN ('unknown', 'ok', 'unreachable', 'misconfigured')),
    state_at     timestamptz NOT NULL DEFAULT now(),
    failures     integer NOT NULL DEFAULT 0,
    open_until   timestamptz,
    last_error   jsonb,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT download_servers_secret CHECK ((secret_enc IS NULL) = (secret_hint IS NULL))
);
CREATE UNIQUE INDEX download_servers_default ON download_servers (kind) WHERE is_default AND enabled;
COMMENT ON TABLE download_servers IS 'A Radarr or Sonarr';
COMMENT ON COLUMN download_servers.secret_enc IS 'API key and extra headers, encrypted (AES-256-GCM); NULL: removed, because the address changed';
COMMENT ON COLUMN download_servers.secret_hint IS 'What admins see of the secret: the last four characters of the key, and the names of the headers';
COMMENT ON COLUMN download_servers.options IS 'Options of a hand-over: quality profile, root folder, tags, …';
COMMENT ON COLUMN download_servers.inventory IS 'Profiles, root folders and tags as last read from the server';
COMMENT ON COLUMN download_servers.failures IS 'Failed calls in a row';
COMMENT ON COLUMN download_servers.open_until IS 'Until then the circuit is open: no job of the server is leased';
COMMENT ON COLUMN download_servers.last_error IS 'Code and message of the failure that set the state';

CREATE TABLE routing_rules (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    position   integer NOT NULL CONSTRAINT routing_rules_position UNIQUE DEFERRABLE INITIALLY DEFERRED,
    media_type text NOT NULL CHECK (media_type IN ('movie', 'tv')),
    conditions jsonb NOT NULL DEFAULT '{}',
    server_id  uuid NOT NULL REFERENCES download_servers ON DELETE CASCADE,
    options    jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX routing_rules_server ON routing_rules (server_id);
COMMENT ON TABLE routing_rules IS 'Which server gets a title: the first rule whose conditions all hold';

CREATE TABLE handovers (
    media_type   text NOT NULL CHECK (media_type IN ('movie', 'tv')),
    tmdb_id      integer NOT NULL CHECK (tmdb_id > 0),
    server_id    uuid NOT NULL REFERENCES download_servers ON DELETE RESTRICT,
    options      jsonb NOT NULL DEFAULT '{}',
    external_id  integer,
    tvdb_id      integer,
    title_slug   text,
    submitted_at timestamptz,
    checked_at   timestamptz,
    requeued_at  timestamptz,
    PRIMARY KEY (media_type, tmdb_id)
);
CREATE INDEX handovers_server ON handovers (server_id, checked_at NULLS FIRST);
COMMENT ON TABLE handovers IS 'The server of a title: decided once, kept for every later request of the title';
COMMENT ON COLUMN handovers.external_id IS 'Id of the film or show on the server, once it has it';
COMMENT ON COLUMN handovers.requeued_at IS 'Time when the title was handed over again because the server had lost it; once only';
COMMENT ON COLUMN handovers.checked_at IS 'Time when the server was last asked for files of the title';

CREATE TABLE jobs (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind        text NOT NULL CHECK (kind IN ('handover', 'check', 'inventory')),
    dedup       text NOT NULL,
    lane        text NOT NULL,
    server_id   uuid REFERENCES download_servers ON DELETE CASCADE,
    payload     jsonb NOT NULL DEFAULT '{}',
    state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'leased', 'done', 'dead', 'cancelled')),
    again       boolean NOT NULL DEFAULT false,
    attempts    integer NOT NULL DEFAULT 0,
    run_at      timestamptz NOT NULL DEFAULT now(),
    deadline_at timestamptz NOT NULL,
    lease_token uuid,
    lease_until timestamptz,
    leased_by   text,
    error       jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT jobs_lease CHECK ((state = 'leased') = (lease_token IS NOT NULL)),
    CONSTRAINT jobs_finished CHECK ((state IN ('done', 'dead', 'cancelled')) = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX jobs_live ON jobs (dedup) WHERE state IN ('queued', 'leased');
CREATE UNIQUE INDEX jobs_lane ON jobs (lane) WHERE state = 'leased';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'queued';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'leased';
CREATE INDEX jobs_state ON jobs (state, finished_at);
CREATE INDEX jobs_recent ON jobs (created_at DESC, id);
CREATE INDEX jobs_server ON jobs (server_id) WHERE state IN ('queued', 'leased');
COMMENT ON TABLE jobs IS 'Work for the worker, written in the transaction of its cause';
COMMENT ON COLUMN jobs.dedup IS 'At most one queued or leased job has it';
COMMENT ON COLUMN jobs.lane IS 'At most one leased job has it';
COMMENT ON COLUMN jobs.again IS 'The job was wanted again while it ran, so it runs once more';
COMMENT ON COLUMN jobs.payload IS 'Ids only: the wanted state is read when the job runs';

CREATE TABLE external_ids (
    media_type text NOT NULL CHECK (media_type IN ('movie', 'tv')),
    source     text NOT NULL CHECK (source IN ('tvdb')),
    tmdb_id    integer NOT NULL,
    value      text,
    read_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (media_type, source, tmdb_id)
);
COMMENT ON TABLE external_ids IS 'Ids of a title elsewhere, as TMDB or a server gave them';
COMMENT ON COLUMN external_ids.value IS 'NULL: looked up, and unknown';
