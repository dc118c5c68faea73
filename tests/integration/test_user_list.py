"""The list of users with thousands of rows: its pages and query plans."""

from typing import Any

import psycopg
import pytest

from medianest.users import repository
from medianest.users.schemas import UserQuery
from tests.integration.test_users import USERS
from tests.support.api import call
from tests.support.rows import count

type Db = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def many_users(db: Db) -> Db:
    """Fill the table, because the planner uses indexes only on larger tables."""
    db.execute("SET statement_timeout = 0")
    db.execute(
        "INSERT INTO users (plex_id, email, username, created_at) SELECT -n,"
        " md5(n::text) || '@example.com', md5((-n)::text), now() - n * interval '1 minute'"
        " FROM generate_series(1, 4000) AS n"
    )
    db.execute("UPDATE users SET role = 'admin' WHERE plex_id BETWEEN -5 AND -1")
    db.execute("VACUUM ANALYZE users")
    return db


class TestListOfManyUsers:
    def plan(self, db: Db, query: UserQuery) -> str:
        """Return PostgreSQL's plans for a page."""
        plans: list[str] = []

        def note(notice: psycopg.errors.Diagnostic) -> None:
            plans.append(notice.message_primary or "")

        db.execute("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0")
        db.execute("SET auto_explain.log_level = notice")
        db.add_notice_handler(note)
        try:
            repository.page(db, query)
        finally:
            db.remove_notice_handler(note)
        assert plans
        return "\n".join(plans)

    @pytest.mark.parametrize(
        ("sort", "index"),
        [
            ("createdAt", "users_by_age"),
            ("-createdAt", "users_by_age"),
            ("username", "users_by_name"),
            ("-username", "users_by_name"),
            ("email", "users_by_email"),
            ("-email", "users_by_email"),
        ],
    )
    def test_every_sort_order_uses_an_index(self, many_users: Db, sort: str, index: str) -> None:
        plan = self.plan(many_users, UserQuery.model_validate({"sort": sort}))
        assert f"using {index}" in plan
        assert plan.count("Sort Key") == 1, "only the page itself may be sorted"

    def test_search_uses_its_indexes(self, many_users: Db) -> None:
        plan = self.plan(many_users, UserQuery(search="c4ca4238"))
        assert "Bitmap Index Scan on users_search " in plan
        assert "Seq Scan" not in plan

    def test_active_admins_are_found_by_an_index(self, many_users: Db) -> None:
        rows = many_users.execute(
            "EXPLAIN SELECT id FROM users WHERE role = 'admin' AND status = 'active' ORDER BY id"
            " FOR NO KEY UPDATE"
        )
        assert "Seq Scan" not in "\n".join(row[0] for row in rows)

    def test_pages_list_every_user_once(self, people: dict[str, str], many_users: Db) -> None:
        many_users.execute("DELETE FROM users WHERE plex_id < -45")
        # Equal times and names, so that only the id decides the order.
        many_users.execute(
            "UPDATE users SET created_at = now(), username = 'x', email = 'x@x',"
            " username_key = 'x', email_key = 'x@x'"
        )
        total = count(many_users, "users")
        for sort in ("createdAt", "-createdAt", "username", "-username", "email", "-email"):
            pages = [
                call(
                    "GET",
                    USERS,
                    token=people["alice"],
                    query={"sort": sort, "limit": 20, "page": page},
                ).json
                for page in (1, 2, 3, 4)
            ]
            ids = [user["id"] for page in pages for user in page["data"]]
            assert len(ids) == len(set(ids)) == total
            assert {page["pagination"]["total"] for page in pages} == {total}
            assert pages[3]["data"] == []
