-- The rows that the scheduled task has yet to fill in: none, after a while.
CREATE INDEX media_requests_unread ON media_requests (id) WHERE title_read_at IS NULL;

-- As in 0010: without pg_trgm, a search reads all requests. A row without a key is searched by the nearest form that SQL has.
DO $$
DECLARE
    home name := (
        SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'
    );
BEGIN
    IF home IS NOT NULL THEN
        EXECUTE format(
            'CREATE INDEX media_requests_search ON media_requests USING gin'
            ' ((coalesce(title_key, lower(normalize(title, NFKC)))) %I.gin_trgm_ops)', home);
    END IF;
END
$$;
