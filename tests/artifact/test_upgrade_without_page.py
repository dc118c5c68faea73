"""A stack of the previous release becomes one of this release without the page: callers stay.

They go on to call API Gateway directly, with no header of a distribution.
"""

from pathlib import Path

import psycopg
import pytest

from tests.support.community import LAST_MIGRATION, Community, applied, previous_release
from tests.support.deployment import Deployment, calls


@pytest.fixture(scope="module")
def community(stack: Deployment, builds: Path, release: Path) -> Community:
    """Deploy the previous release; the next deployment is of this one, without the page."""
    community = previous_release(stack, builds)
    stack.template = release
    stack.parameters |= stack.upstreams | {"WebPage": "false"}
    return community


def test_a_failing_migration_keeps_the_previous_release(community: Community) -> None:
    stack = community.stack
    with psycopg.connect(stack.database_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE jobs (mine int)")
        assert stack.deploy()
        owner.execute("DROP TABLE jobs")
    assert stack.stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert applied(stack) < LAST_MIGRATION
    assert community.request(13).status == 201


def test_the_upgrade_loses_no_call_without_the_header(community: Community) -> None:
    stack = community.stack

    def call() -> int:
        found = stack.call_directly("GET", "/api/media/requests", token=community.user)
        return found.status

    with (
        calls(call, pause=1.0) as statuses,
        calls(lambda: stack.call_directly("GET", "/api/health").status) as health,
    ):
        output = stack.deploy()
    assert not output, output[-3000:]
    assert (set(statuses), set(health)) == ({200}, {200})
    assert (len(statuses) > 4, len(health) > 20) == (True, True)
    assert applied(stack) == LAST_MIGRATION
    assert community.requests() == {603: "approved", 550: "pending", 13: "pending"}


def test_a_second_upgrade_changes_nothing(community: Community) -> None:
    before = community.stack.version()
    assert not community.stack.update()
    assert community.stack.version() == before
    assert community.approve(550).status == 200


def test_a_deletion_leaves_the_database_and_the_secrets_that_were_there_before(
    community: Community,
) -> None:
    community.stack.delete()
    assert community.stack.left() == {
        "iam": ["AccessLogWriter"],
        "secretsmanager": ["application", "cache", "owner"],
    }
    with psycopg.connect(community.stack.database_url) as owner:
        assert owner.execute("SELECT count(*) FROM media_requests").fetchone() == (3,)
