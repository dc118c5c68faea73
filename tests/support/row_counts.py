"""Comparison of `row_counts` with the tables that it counts."""

from typing import Any, LiteralString

import psycopg

# One statement, so one snapshot: it may run while other connections write.
_ERRORS: LiteralString = """
    SELECT source, day::text, mark, facet, subfacet, coalesce(actual.n, 0), coalesce(kept.n, 0)
    FROM (
        SELECT 'users' AS source, '-infinity'::date AS day, '' AS mark, role AS facet,
            status AS subfacet, count(*) AS n FROM users GROUP BY role, status
        UNION ALL
        SELECT 'media_requests', (requested_at AT TIME ZONE 'UTC')::date, '', status, media_type,
            count(*) FROM media_requests GROUP BY 2, 4, 5
        UNION ALL
        SELECT 'titles', '-infinity', (SELECT max(m.title) FROM title_marks m
            WHERE m.title <= lower(r.title)), status, media_type, count(*)
        FROM media_requests r GROUP BY 3, 4, 5
        UNION ALL
        SELECT 'audit_logs', (created_at AT TIME ZONE 'UTC')::date, '', action, '', count(*)
        FROM audit_logs GROUP BY 2, 4
    ) AS actual
    FULL JOIN (
        SELECT source, day, mark, facet, subfacet, sum(n) AS n FROM row_counts
        GROUP BY 1, 2, 3, 4, 5
    ) AS kept USING (source, day, mark, facet, subfacet)
    WHERE coalesce(actual.n, 0) <> coalesce(kept.n, 0)
"""


def wrong_counts(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """Return each key whose kept number differs, with the actual and the kept number."""
    return connection.execute(_ERRORS).fetchall()
