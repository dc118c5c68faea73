-- Exact numbers of rows, so that the total of a list does not count the list. Triggers keep them in the transaction that
-- changes the rows, so they are right for whatever writes: this release, the previous one, a person with a client.
CREATE TABLE row_counts (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source   text NOT NULL,
    day      date NOT NULL,
    facet    text NOT NULL,
    subfacet text NOT NULL,
    n        bigint NOT NULL
    -- Room for new versions of a row on its page: n is in no index, so a count that changes touches none.
) WITH (fillfactor = 50);
CREATE INDEX row_counts_key ON row_counts (source, facet, subfacet, day);

COMMENT ON TABLE row_counts IS 'Numbers of rows of other tables, kept by their triggers. A number is the sum over the rows of its key.';
COMMENT ON COLUMN row_counts.source IS 'Table that is counted';
COMMENT ON COLUMN row_counts.day IS 'Day of the rows in UTC: requested_at, created_at; -infinity for users';
COMMENT ON COLUMN row_counts.facet IS 'Status of requests, role of users, action of audit_logs';
COMMENT ON COLUMN row_counts.subfacet IS 'Media type of requests, status of users, empty for audit_logs';
COMMENT ON COLUMN row_counts.n IS 'Part of the number; negative where another row of the key has more than all';

-- Writers never wait for each other here: each takes a row of the key that no other transaction has locked, or adds one.
-- So a key has about as many rows as it ever had concurrent writers, and there is no lock order to keep.
CREATE FUNCTION add_to_row_counts(source text, day date, facet text, subfacet text, change bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.row_counts AS c SET n = c.n + $5 WHERE c.id = (
        SELECT f.id FROM public.row_counts AS f
        WHERE f.source = $1 AND f.day = $2 AND f.facet = $3 AND f.subfacet = $4
        LIMIT 1 FOR UPDATE SKIP LOCKED
    );
    IF NOT FOUND THEN
        INSERT INTO public.row_counts (source, day, facet, subfacet, n) VALUES ($1, $2, $3, $4, $5);
    END IF;
END
$$;

CREATE FUNCTION empty_row_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM public.row_counts WHERE source = TG_TABLE_NAME;
    RETURN NULL;
END
$$;

-- One function for each table; its triggers are in a migration of their own.
DO $do$
DECLARE
    source name;
    keys   text;
BEGIN
    FOR source, keys IN VALUES
        ('users', $$'-infinity'::date AS day, role AS facet, status AS subfacet$$),
        ('media_requests', $$(requested_at AT TIME ZONE 'UTC')::date AS day, status AS facet, media_type AS subfacet$$),
        ('audit_logs', $$(created_at AT TIME ZONE 'UTC')::date AS day, action AS facet, '' AS subfacet$$)
    LOOP
        EXECUTE format($body$
            CREATE FUNCTION count_%1$s() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    PERFORM public.add_to_row_counts('%1$s', day, facet, subfacet, n)
                    FROM (SELECT %2$s, count(*) AS n FROM new_rows GROUP BY 1, 2, 3) AS changes;
                ELSIF TG_OP = 'DELETE' THEN
                    PERFORM public.add_to_row_counts('%1$s', day, facet, subfacet, n)
                    FROM (SELECT %2$s, -count(*) AS n FROM old_rows GROUP BY 1, 2, 3) AS changes;
                ELSE
                    PERFORM public.add_to_row_counts('%1$s', day, facet, subfacet, n)
                    FROM (
                        SELECT day, facet, subfacet, sum(one) AS n FROM (
                            SELECT %2$s, 1 AS one FROM new_rows UNION ALL SELECT %2$s, -1 FROM old_rows
                        ) AS both_rows GROUP BY 1, 2, 3 HAVING sum(one) <> 0
                    ) AS changes;
                END IF;
                RETURN NULL;
            END
            $$;
        $body$, source, keys);
    END LOOP;
END
$do$;

-- Counts everything again, corrects what differs, and returns the number of corrections. It locks no table: rows and
-- numbers change in the same transactions, so in one snapshot, that of one statement, their difference is the error.
CREATE FUNCTION repair_row_counts() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    corrections bigint;
BEGIN
    -- Two repairs at once would both correct the same error.
    PERFORM pg_advisory_xact_lock(6204112028);
    INSERT INTO public.row_counts (source, day, facet, subfacet, n)
    SELECT source, day, facet, subfacet, coalesce(actual.n, 0) - coalesce(kept.n, 0)
    FROM (
        SELECT 'users' AS source, '-infinity'::date AS day, role AS facet, status AS subfacet, count(*) AS n
        FROM public.users GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT 'media_requests', (requested_at AT TIME ZONE 'UTC')::date, status, media_type, count(*)
        FROM public.media_requests GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT 'audit_logs', (created_at AT TIME ZONE 'UTC')::date, action, '', count(*)
        FROM public.audit_logs GROUP BY 1, 2, 3, 4
    ) AS actual
    FULL JOIN (
        SELECT source, day, facet, subfacet, sum(n) AS n FROM public.row_counts GROUP BY 1, 2, 3, 4
    ) AS kept USING (source, day, facet, subfacet)
    WHERE coalesce(actual.n, 0) <> coalesce(kept.n, 0);
    GET DIAGNOSTICS corrections = ROW_COUNT;

    -- Merges the rows of each key, but for those that a transaction has locked.
    WITH merged AS (
        DELETE FROM public.row_counts WHERE id = ANY (ARRAY(
            SELECT id FROM public.row_counts WHERE (source, day, facet, subfacet) IN (
                SELECT source, day, facet, subfacet FROM public.row_counts GROUP BY 1, 2, 3, 4
                HAVING count(*) > 1 OR sum(n) = 0
            ) FOR UPDATE SKIP LOCKED
        )) RETURNING source, day, facet, subfacet, n
    )
    INSERT INTO public.row_counts (source, day, facet, subfacet, n)
    SELECT source, day, facet, subfacet, sum(n) FROM merged GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
    RETURN corrections;
END
$$;
