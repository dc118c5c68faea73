-- From where people have signed in with a password: failures of strangers elsewhere do not slow them down.
CREATE TABLE signin_networks (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    network text NOT NULL,
    last_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, network)
);
CREATE INDEX signin_networks_age ON signin_networks (last_at);
