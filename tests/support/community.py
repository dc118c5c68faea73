"""People of a stack of the previous release, who keep their tokens through all deployments."""

import json
from pathlib import Path

import psycopg

from medianest.migrations.runner import migrations
from tests.support.api import Answer
from tests.support.deployment import Deployment

LAST_MIGRATION = max(each.version for each in migrations())
_UPSTREAMS = {
    "https://plex.tv": "PlexApiUrl",
    "https://app.plex.tv/auth": "PlexAuthUrl",
    "https://api.themoviedb.org/3": "TmdbApiUrl",
}


class Community:
    """An admin and a user of a stack."""

    def __init__(self, stack: Deployment) -> None:
        self.stack = stack
        self.admin = ""
        self.user = ""

    def requests(self) -> dict[int, str]:
        """Return the status of each request of the user by TMDB id."""
        answer = self.stack.call("GET", "/api/media/requests", token=self.user)
        assert answer.status == 200, answer.text
        return {each["tmdbId"]: each["status"] for each in answer.data}

    def request(self, tmdb_id: int, *, by: str = "") -> Answer:
        """Request a film as the user, or by another token."""
        body = json.dumps({"mediaType": "movie", "tmdbId": tmdb_id}).encode()
        return self.stack.call("POST", "/api/media/request", body=body, token=by or self.user)

    def approve(self, tmdb_id: int) -> Answer:
        """Approve the request for a film."""
        waiting = self.stack.call("GET", "/api/admin/requests", token=self.admin)
        (request,) = (each for each in waiting.data if each["tmdbId"] == tmdb_id)
        path = f"/api/admin/requests/{request['id']}/approve"
        return self.stack.call("POST", path, token=self.admin)


def previous_release(stack: Deployment, builds: Path) -> Community:
    """Deploy the previous release, and let its people sign in and request two films."""
    previous = builds / "previous" / "template.yaml"
    # The previous release has no parameters for these addresses.
    text = previous.read_text()
    for real, standin in _UPSTREAMS.items():
        assert real in text
        text = text.replace(real, stack.upstreams[standin])
    stack.template = previous.with_name(f"{stack.aws.folder.name}.yaml")
    stack.template.write_text(text)
    output = stack.deploy()
    assert not output, output[-3000:]
    community = Community(stack)
    community.admin = stack.sign_in("erin")
    community.user = stack.sign_in("sam")
    for tmdb_id in (603, 550):
        assert community.request(tmdb_id).status == 201
    assert community.approve(603).status == 200
    return community


def applied(stack: Deployment) -> int:
    """Return the version of the schema."""
    with psycopg.connect(stack.database_url) as owner:
        row = owner.execute("SELECT max(version) FROM schema_migrations").fetchone()
    assert row is not None
    return int(row[0])
