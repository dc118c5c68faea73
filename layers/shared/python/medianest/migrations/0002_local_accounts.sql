-- Local accounts: a password in place of a Plex id. A Plex account with the same address is another user.
ALTER TABLE users
    ADD COLUMN password_hash text,
    ADD CONSTRAINT users_can_sign_in CHECK (plex_id IS NOT NULL OR password_hash IS NOT NULL),
    -- What is typed to sign in is an address or a name, never one account's address and another's name.
    ADD CONSTRAINT users_local_names CHECK (
        password_hash IS NULL OR (email LIKE '%@%' AND username NOT LIKE '%@%')
    );
CREATE UNIQUE INDEX users_local_email ON users (lower(email)) WHERE password_hash IS NOT NULL;
CREATE UNIQUE INDEX users_local_username ON users (lower(username)) WHERE password_hash IS NOT NULL;
