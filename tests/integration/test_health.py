"""GET /api/health."""

from medianest import VERSION
from tests.support.api import call


def test_health_is_healthy_when_database_and_cache_respond(keys: object) -> None:
    answer = call("GET", "/api/health")
    assert answer.status == 200
    assert answer.data["status"] == "healthy"
    assert answer.data["version"] == VERSION
    assert answer.data["checks"].keys() == {"database", "cache"}
    for check in answer.data["checks"].values():
        assert check["status"] == "healthy"
        assert 0 <= check["latencyMs"] < 5000
