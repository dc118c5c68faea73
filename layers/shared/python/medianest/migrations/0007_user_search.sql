-- The user list in each of its orders, without sorting all users for one page, or reading the rows before it: an index that
-- does without them must have the column itself, and what is filtered by.
CREATE INDEX users_name_order ON users (lower(username), id) INCLUDE (username, role, status);
CREATE INDEX users_email_order ON users (lower(email), id) INCLUDE (email, role, status);
-- A search for one or two characters finds names that start so.
CREATE INDEX users_name_start ON users (lower(username) text_pattern_ops);

-- A search finds text anywhere in a name or address, for which an index needs pg_trgm. It comes with PostgreSQL, and the
-- owner of a database may create it; where a host has none, or does not allow it, search reads all users instead.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE NOTICE 'user search does without indexes: %', SQLERRM;
END
$$;

DO $$
DECLARE
    -- An extension that was there before may be in any schema.
    home name := (
        SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'
    );
BEGIN
    IF home IS NOT NULL THEN
        EXECUTE format('CREATE INDEX users_name_search ON users USING gin (username %I.gin_trgm_ops)', home);
        EXECUTE format('CREATE INDEX users_email_search ON users USING gin (email %I.gin_trgm_ops)', home);
    END IF;
END
$$;
