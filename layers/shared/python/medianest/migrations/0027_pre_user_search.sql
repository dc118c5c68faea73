-- A search of users reads one index instead of two, of names and of addresses. Those of 0010 stay for the previous release.

-- The text that a search looks into. No search matches across the line break, because search terms have none. The
-- placeholder for a missing address is not searched.
CREATE FUNCTION user_search_text(username_key text, email_key text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN email_key LIKE '%@plex.invalid' THEN username_key ELSE username_key || E'\n' || email_key END
$$;

-- As in 0010: where there is no pg_trgm, a search reads every name instead.
DO $$
DECLARE
    home name := (
        SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'
    );
BEGIN
    IF home IS NOT NULL THEN
        EXECUTE format(
            'CREATE INDEX users_search ON users USING gin (user_search_text(username_key, email_key) %I.gin_trgm_ops)', home
        );
    END IF;
END
$$;
