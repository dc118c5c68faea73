"""A stack of the previous release, with people's data in it, becomes a stack of this one."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.support.community import LAST_MIGRATION, Community, applied, previous_release
from tests.support.deployment import Deployment, calls

# A user has 100 calls a minute.
PAUSE = 1.0
# The function cannot write to that bucket.
FAILS_AFTERWARDS = {
    "Type": "Custom::PageFiles",
    "DependsOn": "Migrations",
    "Properties": {
        "ServiceToken": {"Fn::GetAtt": ["PageFunction", "Arn"]},
        "Bucket": "no-such-bucket",
        "Distribution": {"Ref": "Distribution"},
    },
}
# Films of the stand-in for TMDB that the user does not request.
FILMS = (157336, 155, 19995, 24428, 293660, 299536, 299534, 118340, 671, 597, 278, 120, 121, 122)


@pytest.fixture(scope="module")
def community(stack: Deployment, builds: Path) -> Community:
    """Deploy the previous release for all tests of this file."""
    return previous_release(stack, builds)


def test_the_previous_release_has_users_and_requests(community: Community) -> None:
    assert community.requests() == {603: "approved", 550: "pending"}


def test_a_failing_migration_keeps_the_previous_release(
    community: Community, release: Path
) -> None:
    stack = community.stack
    before = applied(stack)
    assert before < LAST_MIGRATION
    stack.template = release
    stack.parameters |= stack.upstreams
    with psycopg.connect(stack.database_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE jobs (mine int)")
        with calls(lambda: len(community.requests()), pause=PAUSE) as counts:
            assert stack.deploy()
        owner.execute("DROP TABLE jobs")
    assert set(counts) == {2}
    assert before < applied(stack) < LAST_MIGRATION
    assert stack.stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [
        each["ResourceStatusReason"]
        for each in stack.events()
        if each["LogicalResourceId"] == "Migrations" and each["ResourceStatus"] == "UPDATE_FAILED"
    ]
    assert 'relation "jobs" already exists' in reasons[0], reasons
    assert community.request(13).status == 201


def test_the_previous_release_serves_on_the_new_schema_after_a_rollback(
    community: Community,
) -> None:
    stack = community.stack
    template = stack.template
    document = json.loads(template.read_text())
    document["Resources"]["FailsAfterwards"] = FAILS_AFTERWARDS
    stack.template = template.with_name("template-that-fails.json")
    stack.template.write_text(json.dumps(document))
    assert stack.deploy()
    stack.template = template
    assert stack.stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert applied(stack) == LAST_MIGRATION
    assert community.request(680).status == 201
    assert community.approve(680).status == 200
    stack.sign_in("sam")


def test_the_upgrade_loses_no_call(community: Community) -> None:
    stack, before = community.stack, community.stack.version()
    films = iter(FILMS)
    with (
        calls(lambda: len(community.requests()), pause=PAUSE) as counts,
        calls(lambda: stack.call("GET", "/api/health").status) as health,
        calls(lambda: community.request(next(films), by=community.admin).status, pause=3) as writes,
    ):
        output = stack.deploy()
    assert not output, output[-3000:]
    assert set(counts) == {4}
    assert set(health) == {200}
    assert set(writes) == {201}
    assert (len(counts) > 4, len(health) > 20, len(writes) > 2) == (True, True, True)
    assert stack.version() != before


def test_everything_is_there_after_the_upgrade(community: Community) -> None:
    assert community.requests() == {
        603: "approved",
        550: "pending",
        13: "pending",
        680: "approved",
    }
    assert community.approve(550).status == 200
    health = community.stack.call("GET", "/api/health")
    assert {each["status"] for each in health.data["checks"].values()} == {"healthy"}


def test_a_second_upgrade_changes_nothing(community: Community) -> None:
    before = community.stack.version()
    assert not community.stack.deploy()
    assert community.stack.version() == before
    assert len(community.requests()) == 4


def test_the_cache_can_be_left_out_of_a_stack_that_had_one(community: Community) -> None:
    with calls(lambda: len(community.requests()), pause=PAUSE) as counts:
        output = community.stack.deploy(CacheMode="none", RedisUrlSecretArn='""')
    assert not output, output[-3000:]
    assert set(counts) == {4}
    health = community.stack.call("GET", "/api/health")
    assert health.data["checks"]["cache"]["status"] == "none"
    assert community.request(27205).status == 201


def test_the_page_can_be_left_out_of_a_stack_that_had_one(community: Community) -> None:
    stack = community.stack
    stack.parameters |= {"CacheMode": "none", "RedisUrlSecretArn": '""'}
    before = stack.left()
    output = stack.deploy(WebPage="false")
    assert not output, output[-3000:]
    left = stack.left()
    assert before.keys() - left.keys() == {"cloudfront", "s3"}
    secrets = set(before["secretsmanager"]) - set(left["secretsmanager"])
    assert ["OriginVerify" in each for each in secrets] == [True]
    assert stack.call_directly("GET", "/api/health").status == 200
    assert stack.call_directly("GET", "/api/auth/me", token=community.admin).status == 200


def test_a_deletion_leaves_the_database_and_the_secrets_that_were_there_before(
    community: Community,
) -> None:
    community.stack.delete()
    assert community.stack.left() == {
        "iam": ["AccessLogWriter"],  # the setting of the account may use it: docs/deploy.md
        "secretsmanager": ["application", "cache", "owner"],
    }
    with psycopg.connect(community.stack.database_url) as owner:
        assert owner.execute(
            "SELECT count(*) FROM media_requests r JOIN users u ON u.id = r.user_id"
            " WHERE u.username = 'sam'"
        ).fetchone() == (5,)
