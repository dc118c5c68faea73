-- Of local accounts no two may have one address or name, however it is spelt. This holds for what the release before this
-- one writes, too, since its rows get keys from the trigger; the indexes on lower() would refuse İ beside i.
CREATE UNIQUE INDEX users_local_email_key ON users (email_key) WHERE password_hash IS NOT NULL;
CREATE UNIQUE INDEX users_local_username_key ON users (username_key) WHERE password_hash IS NOT NULL;
DROP INDEX users_local_email, users_local_username;

-- The user list in each of its orders. Each index has all that the list is searched and filtered by, so that what is
-- before a page, or does not match, costs no look at its row.
CREATE INDEX users_by_name ON users (username_key, id) INCLUDE (email_key, role, status);
CREATE INDEX users_by_email ON users (email_key, id) INCLUDE (username_key, role, status);
CREATE INDEX users_by_age ON users (created_at, id) INCLUDE (username_key, email_key, role, status);
DROP INDEX users_name_order, users_email_order, users_name_start, users_created;
DROP INDEX IF EXISTS users_name_search, users_email_search;

-- As in 0007: where there is no pg_trgm, a search reads one of the indexes above instead.
DO $$
DECLARE
    home name := (
        SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'
    );
BEGIN
    IF home IS NOT NULL THEN
        EXECUTE format('CREATE INDEX users_name_search ON users USING gin (username_key %I.gin_trgm_ops)', home);
        EXECUTE format('CREATE INDEX users_email_search ON users USING gin (email_key %I.gin_trgm_ops)', home);
    END IF;
END
$$;
