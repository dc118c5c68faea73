"""Pages of lists from either end, or from a day, are those of one sorted list."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import psycopg
import pytest

from medianest.audit import repository as audit_repository
from medianest.audit.schemas import AuditQuery
from medianest.core import paging
from medianest.core.envelope import PageQuery
from medianest.requests.admin_schemas import AdminRequestQuery
from medianest.requests.lists import repository as lists_repository
from medianest.requests.schemas import RequestSort
from medianest.users import repository as users_repository
from medianest.users.schemas import UserQuery, UserSort

type Db = psycopg.Connection[tuple[Any, ...]]

# Equal times, titles and names, so that ids decide, and days without rows.
FILL = """
    INSERT INTO users (id, plex_id, email, username, email_key, username_key, role, status,
        created_at)
    SELECT md5('u' || n)::uuid, n, 'p' || n % 7 || '@x.example', 'p' || n % 5,
        'p' || n % 7 || '@x.example', 'p' || n % 5,
        CASE WHEN n % 9 = 0 THEN 'admin' ELSE 'user' END,
        CASE WHEN n % 4 = 0 THEN 'suspended' ELSE 'active' END,
        timestamptz '2026-03-01 12:00Z' + n % 6 * interval '1 hour'
    FROM generate_series(1, 60) AS n;
    INSERT INTO media_requests (id, user_id, media_type, tmdb_id, title, status, processed_at,
        requested_at)
    SELECT md5('r' || n)::uuid, md5('u' || 1 + n % 3)::uuid,
        CASE WHEN n % 3 = 0 THEN 'tv' ELSE 'movie' END, n,
        CASE WHEN n % 2 = 0 THEN 'Title ' ELSE 'title ' END || n % 11,
        CASE WHEN n % 5 = 0 THEN 'pending' ELSE 'approved' END,
        CASE WHEN n % 5 <> 0 THEN now() END,
        timestamptz '2026-03-01 00:00Z' + n / 4 * interval '6 hours' * (1 + n / 60)
    FROM generate_series(1, 120) AS n;
    INSERT INTO audit_logs (id, user_id, action, request_id, ip, user_agent, created_at)
    SELECT md5('a' || n)::uuid, md5('u' || 1 + n % 3)::uuid,
        CASE WHEN n % 4 = 0 THEN 'user.changed' ELSE 'auth.sign_in' END, 'r', '203.0.113.7', 'test',
        timestamptz '2026-03-01 00:00Z' + n / 4 * interval '6 hours' * (1 + n / 60)
    FROM generate_series(1, 120) AS n;
"""
MIDNIGHT = "2026-03-04T00:00:00Z"
NOON = "2026-03-04T12:00:00Z"
LATER = "2026-03-07T06:00:00Z"
PERIODS: tuple[dict[str, str], ...] = (
    {},
    {"from": MIDNIGHT},
    {"from": NOON},
    {"to": MIDNIGHT},
    {"to": NOON},
    {"from": MIDNIGHT, "to": LATER},
    {"from": NOON, "to": LATER},
    {"from": MIDNIGHT, "to": NOON},
    {"from": NOON, "to": NOON},
    {"from": "2026-03-03T23:00:00Z", "to": "2026-03-04T01:00:00Z"},
    {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"},
)


@pytest.fixture
def filled(db: Db, monkeypatch: pytest.MonkeyPatch) -> Db:
    """Fill the lists; pages in their middle are found by parts."""
    db.execute(FILL.encode())
    db.execute("SELECT place_title_marks(4)")
    monkeypatch.setattr(paging, "_NEAR", 15)
    return db


def pages[Q: PageQuery](
    list_of: Callable[[Q], tuple[list[Any], int]], query: Q, limit: int
) -> tuple[list[Any], set[int]]:
    """Return the ids of all pages and one more, and the totals that the pages report."""
    ids: list[Any] = []
    totals: set[int] = set()
    for number in range(1, 200):
        rows, total = list_of(query.model_copy(update={"page": number, "limit": limit}))
        totals.add(total)
        ids += [row.id for row in rows]
        if not rows:
            break
    return ids, totals


def expected(db: Db, table: str, where: str, order: str, params: dict[str, Any]) -> list[Any]:
    statement = f"SELECT id FROM {table} WHERE {where} ORDER BY {order}"
    return [row[0] for row in db.execute(statement.encode(), params)]


REQUEST_FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"status": "pending"},
    {"mediaType": "tv"},
    {"userId": "set"},
    {"search": "title 1"},
)


@pytest.mark.parametrize("filters", REQUEST_FILTERS, ids=lambda each: "".join(each) or "none")
@pytest.mark.parametrize("sort", get_args(RequestSort.__value__))
def test_all_pages_of_requests_are_the_sorted_list(
    filled: Db, sort: RequestSort, filters: dict[str, str]
) -> None:
    (user_id,) = filled.execute("SELECT md5('u2')::uuid").fetchone() or ()
    values = {**filters, "userId": user_id} if "userId" in filters else filters
    query = AdminRequestQuery.model_validate({**values, "sort": sort})
    found = pages(
        lambda page: lists_repository.page(filled, page, user_id=page.user_id, search=page.search),
        query,
        limit=7,
    )
    column = "requested_at" if "requestedAt" in sort else "lower(title)"
    id_order = "DESC" if sort in {"requestedAt", "-title"} else "ASC"
    ids = expected(
        filled,
        "media_requests",
        "(%(status)s::text IS NULL OR status = %(status)s) AND (%(type)s::text IS NULL"
        " OR media_type = %(type)s) AND (%(user)s::uuid IS NULL OR user_id = %(user)s)"
        " AND (%(text)s::text IS NULL OR strpos(lower(title), %(text)s) > 0)",
        f"{column} {'DESC' if sort.startswith('-') else 'ASC'}, id {id_order}",
        {
            "status": query.status,
            "type": query.media_type,
            "user": query.user_id,
            "text": query.search,
        },
    )
    assert len(ids) > 20
    assert found == (ids, {len(ids)})


@pytest.mark.parametrize("filters", [{}, {"role": "user"}, {"search": "p1"}, {"search": "x.exam"}])
@pytest.mark.parametrize("sort", get_args(UserSort.__value__))
def test_all_pages_of_users_are_the_sorted_list(
    filled: Db, sort: UserSort, filters: dict[str, str]
) -> None:
    query = UserQuery.model_validate({**filters, "sort": sort})
    found = pages(lambda page: users_repository.page(filled, page), query, limit=7)
    names = {"createdAt": "created_at", "username": "username_key", "email": "email_key"}
    direction = "DESC" if sort.startswith("-") else "ASC"
    ids = expected(
        filled,
        "users",
        "(%(role)s::text IS NULL OR role = %(role)s) AND (%(text)s::text IS NULL"
        " OR strpos(username_key, %(text)s) > 0 OR strpos(email_key, %(text)s) > 0)",
        f"{names[sort.removeprefix('-')]} {direction}, id {direction}",
        {"role": query.role, "text": query.search},
    )
    assert len(ids) > 10
    assert found == (ids, {len(ids)})


@pytest.mark.parametrize("period", PERIODS, ids=lambda each: "-".join(each.values()) or "ever")
@pytest.mark.parametrize("filters", [{}, {"action": "auth.sign_in"}, {"userId": "set"}])
def test_all_pages_of_the_audit_log_are_the_sorted_list(
    filled: Db, period: dict[str, str], filters: dict[str, str]
) -> None:
    (user_id,) = filled.execute("SELECT md5('u2')::uuid").fetchone() or ()
    values = {**filters, "userId": user_id} if "userId" in filters else filters
    query = AuditQuery.model_validate({**values, **period})
    found = pages(lambda page: audit_repository.page(filled, page), query, limit=7)
    ids = expected(
        filled,
        "audit_logs",
        "created_at >= %(since)s AND created_at < %(until)s AND (%(action)s::text IS NULL"
        " OR action = %(action)s) AND (%(user)s::uuid IS NULL OR user_id = %(user)s)",
        "created_at DESC, id",
        {
            "since": query.since or datetime(2000, 1, 1, tzinfo=UTC),
            "until": query.until or datetime.now(UTC) + timedelta(days=9999),
            "action": query.action,
            "user": query.user_id,
        },
    )
    assert found == (ids, {len(ids)})
