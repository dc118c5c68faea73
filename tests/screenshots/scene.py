"""A community with a few requests, the same at each run."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.browser.people import People
from tests.support.local import LocalService, database_of, eventually

# Title, who asks for it, days ago, and the decision; the catalogue of the stand-in has the titles.
_REQUESTS = (
    ("movie", 603, "bob", 0, None),
    ("movie", 680, "bob", 1, "approve"),
    ("movie", 862, "carol", 2, "approve"),
    ("movie", 76341, "bob", 3, "decline"),
    ("movie", 238, "carol", 4, None),
    ("movie", 10193, "bob", 9, "approve"),
    ("movie", 550, "carol", 12, "approve"),
)
_REASON = "The disc has no German audio. Ask again when the new edition is out."
_COMMENT = "For our film night on Friday, please."


@dataclass(frozen=True)
class Scene:
    """The people, and the path of each page by the name of its picture."""

    people: People
    pages: Mapping[str, str]

    def person_of(self, page: str) -> str | None:
        """Return who looks at a page: nobody is signed in at the sign-in page."""
        if page == "signin":
            return None
        return "alice" if page.startswith("admin") else "bob"


def set_scene(service: LocalService, people: People) -> Scene:
    """Make the requests and decisions."""
    newest = ""
    for media_type, tmdb_id, person, days, decision in reversed(_REQUESTS):
        body = {"mediaType": media_type, "tmdbId": tmdb_id, "comment": _COMMENT}
        made = service.call("POST", "/api/media/request", body=body, token=people.token(person))
        assert made.status == 201, made.text
        newest = made.data["id"]
        if decision:
            path = f"/api/admin/requests/{newest}/{decision}"
            reason = {"reason": _REASON} if decision == "decline" else {}
            decided = service.call("POST", path, body=reason, token=people.token("alice"))
            assert decided.status == 200, decided.text
        _move_back(service, newest, days)
    with database_of(service.data, {}) as connection:
        connection.execute("UPDATE users SET created_at = '2026-01-15T10:00:00Z'")
    bob = service.call("GET", "/api/auth/me", token=people.token("bob")).data["id"]
    eventually(lambda: _is_handed_over(service, people), seconds=70)
    return Scene(
        people,
        {
            "signin": "/signin",
            "home": "/",
            "search": "/search?q=the",
            "movie": "/movie/550",
            "show": "/tv/1396",
            "requests": "/requests",
            "request": f"/requests/{newest}",
            "profile": "/profile",
            "about": "/about",
            "admin-overview": "/admin",
            "admin-queue": "/admin/requests",
            "admin-approved": "/admin/requests?status=approved",
            "admin-people": "/admin/users",
            "admin-person": f"/admin/users/{bob}",
            "admin-servers": "/admin/servers",
            "admin-server": f"/admin/servers/{_server(service, people)}",
            "admin-rules": "/admin/rules",
            "admin-jobs": "/admin/jobs",
            "admin-audit": "/admin/audit",
            "admin-settings": "/admin/settings",
        },
    )


def _server(service: LocalService, people: People) -> str:
    """Return the id of the first server."""
    found = service.call("GET", "/api/admin/servers", token=people.token("alice")).data
    return str(found[0]["id"])


def _is_handed_over(service: LocalService, people: People) -> bool:
    """Return whether no job waits, so that pictures are the same at each run."""
    query = {"state": "queued"}
    found = service.call("GET", "/api/admin/jobs", query=query, token=people.token("alice"))
    waiting: list[object] = found.data
    return not waiting


def _move_back(service: LocalService, request: str, days: int) -> None:
    with database_of(service.data, {}) as connection:
        connection.execute(
            "UPDATE media_requests SET requested_at = requested_at - make_interval(days => %s),"
            " processed_at = processed_at - make_interval(days => %s / 2) WHERE id = %s",
            (days, days, request),
        )
