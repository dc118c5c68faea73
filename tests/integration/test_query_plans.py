"""Query plans of every list at 60,000 rows, as PostgreSQL reports them."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, LiteralString, get_args
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from medianest.audit import repository as audit_repository
from medianest.audit.models import Action
from medianest.audit.schemas import AuditQuery
from medianest.catalog.models import Title
from medianest.core.db import Database
from medianest.migrations.runner import migrate
from medianest.requests.admin_schemas import AdminRequestQuery, RequestCountsQuery
from medianest.requests.lists import repository as lists_repository
from medianest.requests.schemas import RequestSort
from medianest.requests.titles import repository as titles_repository
from medianest.sessions import repository as sessions_repository
from medianest.stats import repository as stats_repository
from medianest.users import repository as users_repository
from medianest.users.schemas import UserQuery, UserSort
from tests.support import engines as engines_of_run

type Db = psycopg.Connection[tuple[Any, ...]]

# Enough rows that PostgreSQL prefers an index wherever one fits.
ROWS = 60_000
LATE_PAGE = 2_400
# Each table has them with a realistic distribution: few admins and suspended users, one
# request in twenty pending, a hundred requests of each requester, and texts of typical length.
AGENT = "'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'"
FILL: dict[str, LiteralString] = {
    "users": "(id, plex_id, email, username, email_key, username_key, role, status, created_at)"
    " SELECT md5('u' || n)::uuid, n, 'person' || n || '@mail.example.com', 'person' || n,"
    " 'person' || n || '@mail.example.com', 'person' || n,"
    " CASE WHEN n % 1000 = 0 THEN 'admin' ELSE 'user' END,"
    " CASE WHEN n % 50 = 0 THEN 'suspended' ELSE 'active' END, now() - n * interval '1 minute'",
    "sessions": "(user_id, created_at, expires_at, ip, user_agent) SELECT"
    " md5('u' || 1 + n % 2000)::uuid, now() - n * interval '1 second',"
    f" now() + interval '20 days' - n * interval '1 second', '203.0.113.7', {AGENT}",
    "media_requests": "(id, user_id, media_type, tmdb_id, title, comment, status, requested_at,"
    " processed_at) SELECT md5('r' || n)::uuid, md5('u' || 1 + n % 2000)::uuid,"
    " CASE WHEN n % 3 = 0 THEN 'tv' ELSE 'movie' END, n, 'Title ' || md5(n::text),"
    " CASE WHEN n % 2 = 0 THEN 'For Friday evening, when everybody comes over, please' END,"
    " CASE WHEN n % 20 = 0 THEN 'pending' WHEN n % 5 = 1 THEN 'declined' ELSE 'approved' END,"
    " now() - n * interval '1 minute',"
    " CASE WHEN n % 20 <> 0 THEN now() - n * interval '1 minute' END",
    "request_items": "(request_id, media_type, tmdb_id, season, active) SELECT"
    " md5('r' || n)::uuid, CASE WHEN n % 3 = 0 THEN 'tv' ELSE 'movie' END, n,"
    " CASE WHEN n % 3 = 0 THEN 1 END, n % 20 = 0 OR n % 5 <> 1",
    "audit_logs": "(user_id, action, target_type, target_id, details, request_id, ip, user_agent,"
    " created_at) SELECT md5('u' || 1 + n % 2000)::uuid,"
    " CASE WHEN n % 100 = 0 THEN 'user.changed' ELSE 'auth.sign_in' END, 'session',"
    " md5('s' || n)::uuid::text, '{\"method\": \"plex\"}', md5('q' || n)::uuid::text,"
    f" '203.0.113.7', {AGENT}, now() - n * interval '1 minute'",
}
SEQUENTIAL_SCAN = re.compile(rf"Seq Scan on ({'|'.join(FILL)})\b")
IDLE = timedelta(days=30)


@pytest.fixture
def full_database(engines: tuple[str, str], worker_id: str) -> Iterator[Db]:
    """Return a connection to a full database that reports the plan of each statement."""
    with engines_of_run.database(engines[0], f"test_plans_{worker_id}") as url:
        database = Database(SecretStr(url))
        migrate(database)
        database.close()
        with psycopg.connect(url, autocommit=True) as connection:
            for table, rows in FILL.items():
                fill(connection, table, rows)
            connection.execute("SELECT repair_row_counts()")  # no triggers fired
            connection.execute("SELECT place_title_marks(2000)")
            connection.execute("VACUUM ANALYZE row_counts")
            connection.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0")
            connection.execute("SET auto_explain.log_level = notice")
            yield connection


def fill(connection: Db, table: str, rows: LiteralString) -> None:
    """Fill a table and rebuild its indexes afterwards, which is faster."""
    connection.execute("SET statement_timeout = 0; SET session_replication_role = replica")
    connection.execute("SET maintenance_work_mem = '256MB'")
    connection.execute(
        "UPDATE pg_index SET indisready = false WHERE indrelid = %s::regclass", (table,)
    )
    name = sql.Identifier(table)
    into = sql.SQL("INSERT INTO {} ").format(name)
    series = sql.SQL(" FROM generate_series(1, {}) AS n").format(ROWS)
    connection.execute(into + sql.SQL(rows) + series)
    connection.execute(sql.SQL("REINDEX TABLE {}").format(name))  # also marks the indexes as ready
    # As autovacuum does later: update the planner's statistics and allow index-only scans.
    connection.execute(sql.SQL("VACUUM ANALYZE {}").format(name))
    connection.execute("RESET statement_timeout; RESET session_replication_role")
    connection.execute("RESET maintenance_work_mem")


def request_queries(user_id: UUID) -> Iterator[tuple[str, Callable[[Db], object]]]:
    """Yield a name and a call for every list of requests and their numbers, as `list_queries`."""
    for sort in get_args(RequestSort.__value__):
        for filters in (
            {},
            {"status": "pending"},
            {"status": "approved"},
            {"mediaType": "movie"},
            {"mediaType": "tv", "status": "declined"},
            {"userId": user_id},
            {"userId": user_id, "status": "pending", "mediaType": "movie"},
            {"search": "person1234"},
            {"search": "0f0f0f"},
            {"search": "title 0f0", "status": "pending", "mediaType": "tv"},
            {"search": "title 0f0", "userId": user_id},
        ):
            request_query = AdminRequestQuery.model_validate({**filters, "sort": sort})
            run = partial(
                lists_repository.page,
                query=request_query,
                user_id=request_query.user_id,
                search=request_query.search,
            )
            yield f"requests {sort} {filters}", run
    counted: tuple[dict[str, object], ...] = (
        {},
        {"mediaType": "tv"},
        {"userId": user_id},
        {"search": "0f0f0f"},
    )
    for count_filters in counted:
        counts_query = RequestCountsQuery.model_validate(count_filters)
        run_count = partial(lists_repository.count, query=counts_query)
        yield f"request counts {count_filters}", run_count
    for kinds in (("movie",), ("tv",), ("movie", "tv")):
        run_newest = partial(titles_repository.newest, media_types=kinds)
        yield f"newest {kinds}", run_newest


def list_queries(user_id: UUID) -> Iterator[tuple[str, Callable[[Db], object]]]:
    """Yield a name and a call for every list in each of its sort orders and with each filter."""
    yield from request_queries(user_id)
    for sort in get_args(UserSort.__value__):
        for filters in (
            {},
            {"role": "admin"},
            {"role": "user"},
            {"status": "suspended"},
            {"role": "user", "status": "active"},
            {"search": "person12345"},
            {"search": "zz"},
            {"search": "99"},
            {"search": "太"},
        ):
            user_query = UserQuery.model_validate({**filters, "sort": sort})
            yield f"users {sort} {filters}", partial(users_repository.page, query=user_query)
    audit_filters: tuple[dict[str, object], ...] = (
        {},
        {"userId": user_id},
        {"action": Action.USER_CHANGED},
        {"action": Action.SIGN_IN},
        {"userId": user_id, "action": Action.SIGN_IN},
        {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"},
    )
    for audited in audit_filters:
        audit_query = AuditQuery.model_validate(audited)
        yield f"audit {audited}", partial(audit_repository.page, query=audit_query)
    titles = [Title("movie", 10 * n, "Title", None, None, None) for n in range(1, 21)]
    yield "search", partial(titles_repository.of_titles, user_id=user_id, titles=titles)
    yield "sessions", partial(sessions_repository.of_user, user_id=user_id, idle=IDLE)
    yield "title", partial(titles_repository.of_title, user_id=user_id, title=titles[0])


def late_page_queries() -> Iterator[tuple[str, Callable[[Db], object]]]:
    """Yield a name and a call for a late page of each sortable list in each of its sort orders."""
    for request_sort in get_args(RequestSort.__value__):
        request_query = AdminRequestQuery(sort=request_sort, page=LATE_PAGE)
        yield (
            f"requests {request_sort}",
            partial(lists_repository.page, query=request_query, user_id=None),
        )
    for user_sort in get_args(UserSort.__value__):
        user_query = UserQuery(sort=user_sort, page=LATE_PAGE)
        yield f"users {user_sort}", partial(users_repository.page, query=user_query)


@pytest.mark.slow
def test_no_list_scans_a_whole_table(full_database: Db) -> None:
    plans: list[str] = []
    full_database.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))
    (user_id,) = full_database.execute("SELECT md5('u7')::uuid").fetchone() or ()
    scans = {}
    # A busy machine makes a search of a million titles slow, and its plan no worse.
    full_database.execute("SET statement_timeout = 0")
    for name, run in list_queries(user_id):
        plans.clear()
        run(full_database)
        assert plans, name
        sequential = [plan for plan in plans if SEQUENTIAL_SCAN.search(plan)]
        if sequential:
            scans[name] = sequential
    assert not scans, "\n".join(f"{name}: {each[0]}" for name, each in scans.items())
    # A late page reads only the index before its first row, so it stays below statement_timeout.
    full_database.execute("RESET statement_timeout")
    assert full_database.execute("SHOW statement_timeout").fetchone() == ("3s",)
    for name, run in late_page_queries():
        plans.clear()
        run(full_database)
        page_plan = plans[-1]  # after those of the total and the part
        assert "Index Only Scan" in page_plan, f"{name}: {page_plan}"
        assert "Seq Scan" not in page_plan, f"{name}: {page_plan}"
    audit_repository.page(full_database, AuditQuery(page=LATE_PAGE))
    # The statistics finish within statement_timeout as well.
    assert stats_repository.users(full_database).total == ROWS
    assert stats_repository.requests(full_database).pending == ROWS // 20
    assert stats_repository.top_requesters(full_database)
    assert sessions_repository.count_live(full_database, IDLE) > 0
