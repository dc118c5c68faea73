"""Sign people in through the API, so that a test starts where its subject begins."""

from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from playwright.sync_api import StorageState, StorageStateCookie

from tests.support.local import LocalService


class People:
    """The people of the stand-in for plex.tv; alice owns the server and is an admin."""

    def __init__(self, service: LocalService) -> None:
        self._service = service
        self._states: dict[str, StorageState] = {}
        self._tokens: dict[str, str] = {}
        self.plex_url, self.tmdb_url = service.standin_urls
        # The first owner who signs in is the first admin, whichever test runs first.
        self.token("alice")

    def state(self, name: str) -> StorageState:
        """Return the browser state of a session that tests share; none of them may end it."""
        if name not in self._states:
            self._states[name] = self.new_state(name)
        return self._states[name]

    def new_state(self, name: str) -> StorageState:
        """Return the browser state of a new session."""
        body = {"pinId": self._service.begin(self.plex_url, name), "session": "cookie"}
        answer = self._service.patiently("POST", "/api/auth/plex/verify", body=body)
        assert answer.status == 200, answer.text
        [(key, morsel)] = SimpleCookie(answer.headers["set-cookie"]).items()
        cookie = StorageStateCookie(
            name=key,
            value=morsel.value,
            domain=urlsplit(self._service.url).hostname or "",
            path="/",
            expires=-1,
            httpOnly=True,
            secure=bool(morsel["secure"]),
            sameSite="Lax",
        )
        return StorageState(cookies=[cookie], origins=[])

    def token(self, name: str) -> str:
        """Return a bearer token for calls of the test itself; tests share it."""
        if name not in self._tokens:
            self._tokens[name] = self._service.sign_in(self.plex_url, name)
        return self._tokens[name]
