"""Fill a database: users, sessions, requests and audit rows with a realistic distribution."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import LiteralString

from psycopg import sql

from benchmarks.callers import ADMIN, USER
from benchmarks.events import data_of, event
from benchmarks.stage import Db, Service, Stage
from local.run_config import PROJECT
from local.template.reader import read_template

# The requests of the user, whatever the number of other rows.
OWN_REQUESTS = 5000
_REQUESTERS = 2000
_INTERVAL = "n * interval '20 seconds'"
_AGENT = "'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'"
_MEDIA_TYPE = "CASE WHEN n % 3 = 0 THEN 'tv' ELSE 'movie' END"
_REQUESTS = (
    "media_requests (id, user_id, media_type, tmdb_id, title, comment, status, requested_at,"
    " processed_at) SELECT md5({kind} || n)::uuid, {user},"
    f" {_MEDIA_TYPE}, n + {{first}}, 'Title ' || md5(n::text),"
    " CASE WHEN n % 2 = 0 THEN 'For Friday evening, when everybody comes over, please' END,"
    " CASE WHEN n % 20 = 0 THEN 'pending' WHEN n % 5 = 1 THEN 'declined' ELSE 'approved' END,"
    f" now() - {_INTERVAL}, CASE WHEN n % 20 <> 0 THEN now() - {_INTERVAL} END"
)
_ITEMS = (
    "request_items (request_id, media_type, tmdb_id, season, active) SELECT"
    f" md5({{kind}} || n)::uuid, {_MEDIA_TYPE}, n + {{first}},"
    " CASE WHEN n % 3 = 0 THEN 1 END, n % 20 = 0 OR n % 5 <> 1"
)
_USERS = (
    "users (id, plex_id, email, username, email_key, username_key, role, status, created_at)"
    " SELECT md5('u' || n)::uuid, 1000000 + n, 'person' || n || '@mail.example.com',"
    " 'person' || n, 'person' || n || '@mail.example.com', 'person' || n,"
    " CASE WHEN n % 1000 = 0 THEN 'admin' ELSE 'user' END,"
    " CASE WHEN n % 50 = 0 THEN 'suspended' ELSE 'active' END,"
    f" now() - {_INTERVAL}"
)
_SESSIONS = (
    "sessions (user_id, created_at, expires_at, ip, user_agent) SELECT"
    " md5('u' || n)::uuid, now() - n * interval '1 second',"
    f" now() + interval '20 days' - n * interval '1 second', '203.0.113.7', {_AGENT}"
)
_AUDIT = (
    "audit_logs (user_id, action, target_type, target_id, details, request_id, ip, user_agent,"
    " created_at) SELECT md5('u' || 1 + n % 500)::uuid,"
    " CASE WHEN n % 100 = 0 THEN 'user.changed' ELSE 'auth.sign_in' END, 'session',"
    " md5('s' || n)::uuid::text, '{{\"method\": \"plex\"}}', md5('q' || n)::uuid::text,"
    f" '203.0.113.7', {_AGENT}, now() - {_INTERVAL}"
)
# Disabled, so that the measured decisions need no queue: a call to SQS is not part of a figure.
_SERVERS = (
    "INSERT INTO download_servers (id, kind, name, base_url, enabled, inventory, inventory_at,"
    " state) SELECT md5('d' || n)::uuid, CASE WHEN n % 2 = 0 THEN 'sonarr' ELSE 'radarr' END,"
    " 'Server ' || n, 'https://server' || n || '.example.org', false,"
    """ '{"profiles": [{"id": 1, "name": "HD"}], "rootFolders": [{"path": "/data",
    "freeBytes": 812000000000, "accessible": true}], "tags": [{"id": 1, "label": "x"}]}',"""
    " now(), 'ok' FROM generate_series(1, 10) AS n"
)
_RULES = (
    "INSERT INTO routing_rules (position, media_type, conditions, server_id) SELECT n,"
    """ CASE WHEN n % 2 = 0 THEN 'tv' ELSE 'movie' END, '{"genreIds": [16]}',"""
    " md5('d' || 1 + (1 + n) % 2)::uuid FROM generate_series(1, 50) AS n"
)
_JOBS = (
    "jobs (id, kind, dedup, lane, server_id, payload, state, attempts, run_at, deadline_at,"
    " error, created_at, finished_at) SELECT md5('j' || n)::uuid,"
    " CASE n % 20 WHEN 0 THEN 'check' WHEN 1 THEN 'inventory' ELSE 'handover' END,"
    " 'handover:movie:' || n, 'handover:movie:' || n, md5('d' || 1 + n % 10)::uuid,"
    " jsonb_build_object('mediaType', 'movie', 'tmdbId', n),"
    " CASE n % 50 WHEN 2 THEN 'dead' WHEN 3 THEN 'cancelled' ELSE 'done' END, 1,"
    f" now() - {_INTERVAL}, now() + interval '7 days', CASE WHEN n % 50 = 2 THEN"
    """ '{{"class": "never", "code": "REJECTED", "message": "The title is unknown."}}'::jsonb"""
    f" END, now() - {_INTERVAL}, now() - {_INTERVAL}"
)
_TABLES = ("users", "sessions", "media_requests", "request_items", "audit_logs", "jobs")
# TMDB ids above those of the stand-in's catalogue.
_FIRST_OWN, _FIRST_OTHER = 1_000_000_000, 1_100_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Numbers of rows; `requests` is that of requests of others, and `users` also that of jobs."""

    requests: int
    users: int
    audit: int


SMALL = Rows(requests=0, users=500, audit=5000)


def large(requests: int) -> Rows:
    """Return the rows of a large database: a user for each ten requests."""
    return Rows(requests, users=requests // 10, audit=requests)


async def filled(stage: Stage, name: str, rows: Rows) -> Service:
    """Return a service on a new database with these rows."""
    service = await stage.service(name)
    async with service.sandbox("plex") as plex, service.sandbox("auth") as auth:
        await service.sign_in(plex, ADMIN)
        token = await service.sign_in(plex, USER)
        response, _ = await auth.respond(event("GET", "/api/auth/me", token=token), 200)
    with service.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '256MB'")
        for table in _TABLES:
            _pause_indexes(connection, table)
        connection.execute(_SERVERS)
        connection.execute(_RULES)
        for statement, count in _statements(data_of(response)["id"], rows):
            _insert(connection, statement, count)
        for table in _TABLES:
            _index(connection, table)
        # No trigger has counted the rows.
        connection.execute("SELECT repair_row_counts()")
        connection.execute("SELECT place_title_marks(2000)")
        connection.execute("VACUUM ANALYZE row_counts")
    await _run_schedules(service)
    return service


def _statements(user_id: str, rows: Rows) -> Iterator[tuple[sql.Composed, int]]:
    requester = sql.SQL("md5('u' || 1 + n % {})::uuid").format(min(_REQUESTERS, rows.users))
    own = {"kind": "own", "first": _FIRST_OWN, "user": sql.Literal(user_id)}
    other = {"kind": "other", "first": _FIRST_OTHER, "user": requester}
    yield sql.SQL(_USERS).format(), rows.users
    yield sql.SQL(_SESSIONS).format(), rows.users
    for values, count in ((own, OWN_REQUESTS), (other, rows.requests)):
        yield sql.SQL(_REQUESTS).format(**values), count
        yield sql.SQL(_ITEMS).format(**values), count
    yield sql.SQL(_AUDIT).format(), rows.audit
    yield sql.SQL(_JOBS).format(), rows.users


def _insert(connection: Db, statement: sql.Composed, count: int) -> None:
    series = sql.SQL(" FROM generate_series(1, {}) AS n").format(count)
    connection.execute(sql.SQL("INSERT INTO ") + statement + series)


def _pause_indexes(connection: Db, table: LiteralString) -> None:
    """Stop maintaining the indexes of a table: to rebuild them afterwards is faster."""
    connection.execute(
        "UPDATE pg_index SET indisready = false WHERE indrelid = %s::regclass", (table,)
    )


def _index(connection: Db, table: LiteralString) -> None:
    name = sql.Identifier(table)
    connection.execute(sql.SQL("REINDEX TABLE {}").format(name))  # marks them as ready, too
    # As autovacuum does in time: it updates the planner's statistics and allows index-only scans.
    connection.execute(sql.SQL("VACUUM ANALYZE {}").format(name))


async def _run_schedules(service: Service) -> None:
    """Run every scheduled task once, as a service in use has done."""
    template = read_template(PROJECT / "template.yaml", opt=PROJECT)
    folders = {each.id: each.code.name for each in template.functions.values()}
    schedules = sorted(template.schedules.values(), key=lambda each: each.function)
    for function, group in groupby(schedules, key=lambda each: each.function):
        async with service.sandbox(folders[function]) as sandbox:
            for schedule in group:
                await sandbox.call(schedule.event)
