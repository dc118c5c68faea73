"""The cache user of template.yaml may run every command that the functions send."""

import uuid
from collections.abc import Iterator

import pytest
import redis
from pydantic import SecretStr

from medianest.core.cache import shared_cache
from tests.support.api import call
from tests.support.stacks import all_stacks


@pytest.fixture
def user(keys: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Let the functions use the cache as the user of the template; return its name."""
    access = all_stacks()["scale"].one("AWS::ElastiCache::User").get("AccessString")
    name = f"template-{uuid.uuid4().hex}"
    keys.execute_command("ACL", "SETUSER", name, "reset", *access.split(), ">secret")
    at = keys.connection_pool.connection_kwargs
    url = f"redis://{name}:secret@{at['host']}:{at['port']}/{at.get('db', 0)}"
    monkeypatch.setattr(shared_cache(), "_secret", SecretStr(url))
    yield name
    monkeypatch.undo()
    assert shared_cache().ping()  # connects again as the user of the other tests
    keys.execute_command("ACL", "DELUSER", name)


def refused(keys: redis.Redis, user: str) -> list[str]:
    """Return the commands that the user was refused."""
    log = keys.acl_log()
    assert isinstance(log, list)
    return [str(each["object"]) for each in log if each["username"] == user]


def test_every_kind_of_call_works_as_the_user_of_the_template(
    keys: redis.Redis, people: dict[str, str], user: str, cache_round_trips: list[object]
) -> None:
    alice, bob = people["alice"], people["bob"]
    health = call("GET", "/api/health")
    assert health.data["checks"]["cache"]["status"] == "healthy"
    # Search and details are kept; the limits count; the session is kept, and then ended.
    assert call("GET", "/api/media/search", token=bob, query={"q": "matrix"}).status == 200
    assert call("GET", "/api/media/tv/1396", token=bob).status == 200
    body = {"mediaType": "movie", "tmdbId": 603}
    assert call("POST", "/api/media/request", token=bob, body=body).status == 201
    assert call("POST", "/api/auth/plex/pin").status == 200
    assert call("GET", "/api/admin/stats", token=alice).status == 200
    assert call("POST", "/api/auth/refresh", token=bob).status == 200
    assert call("POST", "/api/auth/logout", token=alice).status == 204
    assert call("GET", "/api/auth/me", token=alice).status == 401
    assert len(cache_round_trips) > 10
    assert refused(keys, user) == []


@pytest.mark.parametrize("command", ["FLUSHALL", "CONFIG GET maxmemory", "KEYS *", "ACL LIST"])
def test_the_user_of_the_template_cannot_administer_the_cache(
    keys: redis.Redis, user: str, command: str
) -> None:
    at = keys.connection_pool.connection_kwargs
    with redis.Redis(at["host"], at["port"], username=user, password="secret") as client:
        assert client.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command.split())
    assert refused(keys, user)
