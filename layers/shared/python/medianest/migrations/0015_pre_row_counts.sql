-- Exact numbers of rows, so that the total of a list does not count the list. Triggers keep them in the transaction that
-- changes the rows, so they are right for whatever writes: this release, the previous one, a person with a client.
CREATE TABLE row_counts (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source   text NOT NULL,
    day      date NOT NULL,
    mark     text NOT NULL,
    facet    text NOT NULL,
    subfacet text NOT NULL,
    n        bigint NOT NULL
    -- Room for new versions of a row on its page: n is in no index, so a count that changes touches none.
) WITH (fillfactor = 50);
CREATE INDEX row_counts_key ON row_counts (source, facet, subfacet, day, mark);

-- Every so many titles one, in the order of the list of requests: the number of requests from each to the next tells where a
-- page of that list begins.
CREATE TABLE title_marks (title text PRIMARY KEY);
INSERT INTO title_marks VALUES ('');

COMMENT ON TABLE row_counts IS 'Numbers of rows of other tables, kept by their triggers. A number is the sum over the rows of its key.';
COMMENT ON COLUMN row_counts.source IS 'Table that is counted; titles for requests by title';
COMMENT ON COLUMN row_counts.day IS 'Day of the rows in UTC: requested_at, created_at; -infinity for users and titles';
COMMENT ON COLUMN row_counts.mark IS 'Last of title_marks up to the title; empty but for titles';
COMMENT ON COLUMN row_counts.facet IS 'Status of requests, role of users, action of audit_logs';
COMMENT ON COLUMN row_counts.subfacet IS 'Media type of requests, status of users, empty for audit_logs';
COMMENT ON TABLE title_marks IS 'Where the list of requests by title is divided for row_counts: lower(title) of about every 2000th.';
COMMENT ON COLUMN row_counts.n IS 'Part of the number; negative where another row of the key has more than all';

-- Writers never wait for each other here: each takes a row of the key that no other transaction has locked, or adds one.
-- So a key has about as many rows as it ever had concurrent writers, and there is no lock order to keep.
CREATE FUNCTION add_to_row_counts(source text, day date, mark text, facet text, subfacet text, change bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.row_counts AS c SET n = c.n + $6 WHERE c.id = (
        SELECT f.id FROM public.row_counts AS f
        WHERE f.source = $1 AND f.day = $2 AND f.mark = $3 AND f.facet = $4 AND f.subfacet = $5
        LIMIT 1 FOR UPDATE SKIP LOCKED
    );
    IF NOT FOUND THEN
        INSERT INTO public.row_counts (source, day, mark, facet, subfacet, n) VALUES ($1, $2, $3, $4, $5, $6);
    END IF;
END
$$;

CREATE FUNCTION empty_row_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM public.row_counts
    WHERE source = TG_TABLE_NAME OR TG_TABLE_NAME = 'media_requests' AND source = 'titles';
    RETURN NULL;
END
$$;

-- One function for each table; its triggers are in a migration of their own.
DO $do$
DECLARE
    counted  name;
    facet    text;
    subfacet text;
    keys     text;
BEGIN
    FOR counted, facet, subfacet, keys IN VALUES
        ('users', 'role', 'status', $$('users', '-infinity'::date, '')$$),
        ('media_requests', 'status', 'media_type', $$
            ('media_requests', (requested_at AT TIME ZONE 'UTC')::date, ''),
            ('titles', '-infinity'::date, coalesce(
                (SELECT max(m.title) FROM public.title_marks AS m WHERE m.title <= lower(r.title)), ''))
        $$),
        ('audit_logs', 'action', $$''$$, $$('audit_logs', (created_at AT TIME ZONE 'UTC')::date, '')$$)
    LOOP
        EXECUTE format($body$
            CREATE FUNCTION count_%1$s() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    PERFORM public.add_to_row_counts(source, day, mark, facet, subfacet, n) FROM (
                        SELECT k.source, k.day, k.mark, %2$s AS facet, %3$s AS subfacet, count(*) AS n
                        FROM new_rows AS r CROSS JOIN LATERAL (VALUES %4$s) AS k (source, day, mark)
                        GROUP BY 1, 2, 3, 4, 5
                    ) AS changes;
                ELSIF TG_OP = 'DELETE' THEN
                    PERFORM public.add_to_row_counts(source, day, mark, facet, subfacet, n) FROM (
                        SELECT k.source, k.day, k.mark, %2$s AS facet, %3$s AS subfacet, -count(*) AS n
                        FROM old_rows AS r CROSS JOIN LATERAL (VALUES %4$s) AS k (source, day, mark)
                        GROUP BY 1, 2, 3, 4, 5
                    ) AS changes;
                ELSE
                    PERFORM public.add_to_row_counts(source, day, mark, facet, subfacet, n) FROM (
                        SELECT k.source, k.day, k.mark, %2$s AS facet, %3$s AS subfacet, sum(one) AS n
                        FROM (SELECT *, 1 AS one FROM new_rows UNION ALL SELECT *, -1 FROM old_rows) AS r
                        CROSS JOIN LATERAL (VALUES %4$s) AS k (source, day, mark)
                        GROUP BY 1, 2, 3, 4, 5 HAVING sum(one) <> 0
                    ) AS changes;
                END IF;
                RETURN NULL;
            END
            $$;
        $body$, counted, facet, subfacet, keys);
    END LOOP;
END
$do$;

-- The numbers as they should be, counted row by row.
CREATE VIEW counted_rows AS
SELECT 'users' AS source, '-infinity'::date AS day, '' AS mark, role AS facet, status AS subfacet, count(*) AS n
FROM users GROUP BY role, status
UNION ALL
SELECT 'media_requests', (requested_at AT TIME ZONE 'UTC')::date, '', status, media_type, count(*)
FROM media_requests GROUP BY 2, 4, 5
UNION ALL
SELECT 'titles', '-infinity', m.title, r.status, r.media_type, count(*)
FROM (SELECT title, lead(title) OVER (ORDER BY title) AS next FROM title_marks) AS m
JOIN LATERAL (
    -- In two parts, so that each has both bounds of its range in the index.
    SELECT status, media_type FROM media_requests WHERE lower(title) >= m.title AND lower(title) < m.next
    UNION ALL
    SELECT status, media_type FROM media_requests WHERE lower(title) >= m.title AND m.next IS NULL
) AS r ON true GROUP BY 3, 4, 5
UNION ALL
SELECT 'audit_logs', (created_at AT TIME ZONE 'UTC')::date, '', action, '', count(*)
FROM audit_logs GROUP BY 2, 4;
COMMENT ON VIEW counted_rows IS 'What row_counts should say, counted row by row.';

-- Counts everything again, corrects what differs, and returns the number of corrections. It locks no table: rows and
-- numbers change in the same transactions, so in one snapshot, that of one statement, their difference is the error.
CREATE FUNCTION repair_row_counts() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    corrections bigint;
BEGIN
    -- Two repairs at once would both correct the same error.
    PERFORM pg_advisory_xact_lock(6204112028);
    INSERT INTO public.row_counts (source, day, mark, facet, subfacet, n)
    SELECT source, day, mark, facet, subfacet, coalesce(actual.n, 0) - coalesce(kept.n, 0)
    FROM public.counted_rows AS actual
    FULL JOIN (
        SELECT source, day, mark, facet, subfacet, sum(n) AS n FROM public.row_counts GROUP BY 1, 2, 3, 4, 5
    ) AS kept USING (source, day, mark, facet, subfacet)
    WHERE coalesce(actual.n, 0) <> coalesce(kept.n, 0);
    GET DIAGNOSTICS corrections = ROW_COUNT;

    -- Merges the rows of each key, but for those that a transaction has locked.
    WITH merged AS (
        DELETE FROM public.row_counts WHERE id = ANY (ARRAY(
            SELECT id FROM public.row_counts WHERE (source, day, mark, facet, subfacet) IN (
                SELECT source, day, mark, facet, subfacet FROM public.row_counts GROUP BY 1, 2, 3, 4, 5
                HAVING count(*) > 1 OR sum(n) = 0
            ) FOR UPDATE SKIP LOCKED
        )) RETURNING source, day, mark, facet, subfacet, n
    )
    INSERT INTO public.row_counts (source, day, mark, facet, subfacet, n)
    SELECT source, day, mark, facet, subfacet, sum(n) FROM merged GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0;
    RETURN corrections;
END
$$;

-- Replaces the marks when a part of the titles has become much larger than `size`. The writers of requests wait, about a second for
-- a million rows: a mark that changed between a row and its number would make the number wrong.
CREATE FUNCTION place_title_marks(size bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(6204112028);
    IF NOT EXISTS (
        SELECT FROM public.row_counts WHERE source = 'titles' GROUP BY mark HAVING sum(n) > 4 * size
    ) THEN
        RETURN;
    END IF;
    LOCK TABLE public.media_requests IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM public.row_counts WHERE source = 'titles';
    DELETE FROM public.title_marks;
    INSERT INTO public.title_marks
    SELECT '' UNION SELECT title
    FROM (SELECT lower(title) AS title, row_number() OVER (ORDER BY lower(title)) AS n FROM public.media_requests) AS r
    WHERE n % size = 0;
    INSERT INTO public.row_counts (source, day, mark, facet, subfacet, n)
    SELECT * FROM public.counted_rows WHERE source = 'titles';
END
$$;
