"""The stand-ins for plex.tv and TMDB, asked over real HTTP."""

import asyncio
import json
import re
import threading
import time
import zlib
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import urllib3

from local import standins
from local.standins import plex, tmdb

CLIENT = {"Accept": "application/json", "X-Plex-Client-Identifier": "medianest-test"}
OTHER_CLIENT = {**CLIENT, "X-Plex-Client-Identifier": "somebody-else"}
KEY = {"Authorization": "Bearer a.read.token"}


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(timeout=10)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Client:
    """HTTP calls to one origin, without retries or redirects."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.pool = urllib3.PoolManager(retries=False, timeout=5)

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: object = None
    ) -> urllib3.BaseHTTPResponse:
        return self.pool.request(
            method,
            self.origin + path,
            headers=headers,
            body=None if body is None else json.dumps(body).encode(),
            redirect=False,
        )

    def get(self, path: str, headers: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        return self.ask("GET", path, headers)

    def order(self, **fault: object) -> None:
        assert self.ask("PUT", "/standin/fault", body=fault).status == 200


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture(scope="module")
def running(loop: LoopThread) -> Iterator[standins.Standins]:
    started = loop.run(standins.start())
    yield started
    loop.run(started.stop())


@pytest.fixture
def plex_tv(running: standins.Standins) -> Iterator[Client]:
    yield from client_of(running.plex_url)


@pytest.fixture
def tmdb_api(running: standins.Standins) -> Iterator[Client]:
    yield from client_of(running.tmdb_url)


def client_of(origin: str) -> Iterator[Client]:
    client = Client(origin)
    client.ask("DELETE", "/standin/fault")
    client.ask("DELETE", "/standin/requests")
    yield client
    client.ask("DELETE", "/standin/fault")
    client.pool.clear()


def create_pin(client: Client, *, strong: str = "true") -> dict[str, Any]:
    answer = client.ask("POST", f"/api/v2/pins?strong={strong}", CLIENT)
    assert answer.status == 201
    pin: dict[str, Any] = answer.json()
    return pin


def approve(client: Client, pin: dict[str, Any], username: str) -> urllib3.BaseHTTPResponse:
    path = f"/standin/pins/{pin['code']}/approve"
    return client.ask("POST", path, body={"username": username})


def sign_in(client: Client, username: str) -> dict[str, str]:
    pin = create_pin(client)
    assert approve(client, pin, username).status == 200
    token = client.get(f"/api/v2/pins/{pin['id']}", CLIENT).json()["authToken"]
    return {**CLIENT, "X-Plex-Token": token}


def plex_error(answer: urllib3.BaseHTTPResponse) -> tuple[int, int]:
    return answer.status, answer.json()["errors"][0]["code"]


# --- plex.tv: the PIN


def test_a_pin_is_null_until_claimed_and_then_carries_the_token(plex_tv: Client) -> None:
    pin = create_pin(plex_tv)
    assert isinstance(pin["id"], int)
    assert re.fullmatch(r"[a-z0-9]{25}", pin["code"])
    assert pin["authToken"] is None
    assert pin["expiresIn"] == 1800
    assert pin["clientIdentifier"] == "medianest-test"

    path = f"/api/v2/pins/{pin['id']}"
    assert plex_tv.get(path, CLIENT).json()["authToken"] is None
    assert approve(plex_tv, pin, "alice").json() == {"approved": True, "username": "alice"}
    assert len(plex_tv.get(path, CLIENT).json()["authToken"]) >= 20


def test_pin_ids_are_sequential_and_short_codes_have_four_characters(plex_tv: Client) -> None:
    first = create_pin(plex_tv, strong="false")
    second = create_pin(plex_tv, strong="false")
    assert second["id"] == first["id"] + 1
    assert len(first["code"]) == 4
    assert first["expiresIn"] == 900


def test_strong_is_taken_from_the_query_only(plex_tv: Client) -> None:
    path = plex_tv.origin + "/api/v2/pins"
    answers = [
        plex_tv.pool.request("POST", path, fields={"strong": "true"}, headers=CLIENT),
        plex_tv.pool.request(
            "POST", path, fields={"strong": "true"}, headers=CLIENT, encode_multipart=False
        ),
        plex_tv.pool.request("POST", path, json={"strong": True}, headers=CLIENT),
        plex_tv.ask("POST", "/api/v2/pins?strong=yes", CLIENT),
        plex_tv.ask("POST", "/api/v2/pins", {**CLIENT, "strong": "true"}),
    ]
    assert [len(answer.json()["code"]) for answer in answers] == [4] * 5
    assert len(create_pin(plex_tv)["code"]) == 25


def test_the_sign_in_page_takes_no_weak_pin(plex_tv: Client) -> None:
    weak = create_pin(plex_tv, strong="false")
    refused = approve(plex_tv, weak, "alice")
    assert refused.status == 400
    assert "plex.tv/link" in refused.json()["error"]
    assert plex_tv.get(f"/api/v2/pins/{weak['id']}", CLIENT).json()["authToken"] is None


@pytest.mark.parametrize(
    ("client_id", "status"),
    [("medianest-test", 200), ("somebody-else", 404), ("", 404), (None, 404), (["x"], 404)],
)
def test_the_sign_in_page_takes_the_client_of_the_pin_only(
    plex_tv: Client, client_id: object, status: int
) -> None:
    pin = create_pin(plex_tv)
    body = {"username": "alice", "clientID": client_id}
    answer = plex_tv.ask("POST", f"/standin/pins/{pin['code']}/approve", body=body)
    assert answer.status == status
    token = plex_tv.get(f"/api/v2/pins/{pin['id']}", CLIENT).json()["authToken"]
    assert (token is not None) == (status == 200)


def test_a_code_in_the_query_must_be_the_pins(plex_tv: Client) -> None:
    pin = create_pin(plex_tv)
    path = f"/api/v2/pins/{pin['id']}"
    assert plex_tv.get(f"{path}?code={pin['code']}", CLIENT).status == 200
    assert plex_error(plex_tv.get(f"{path}?code=other", CLIENT)) == (404, 1020)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2/pins"),
        ("GET", "/api/v2/pins/x"),
        ("GET", "/api/v2/pins/" + "9" * 5000),
        ("GET", "/api/v2/nothing"),
        ("POST", "/api/v2/user"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_not_there_at_plex_tv(plex_tv: Client, method: str, path: str) -> None:
    answer = plex_tv.ask(method, path, CLIENT)
    assert (answer.status, answer.json()["errors"][0]["status"]) == (404, 404)


def test_a_pin_is_not_found_for_another_client_or_when_unknown(plex_tv: Client) -> None:
    pin = create_pin(plex_tv)
    assert plex_error(plex_tv.get(f"/api/v2/pins/{pin['id']}", OTHER_CLIENT)) == (404, 1020)
    assert plex_error(plex_tv.get("/api/v2/pins/1", CLIENT)) == (404, 1020)


def test_the_client_identifier_is_required(plex_tv: Client) -> None:
    headers = {"Accept": "application/json"}
    assert plex_error(plex_tv.ask("POST", "/api/v2/pins?strong=true", headers)) == (400, 1000)
    pin = create_pin(plex_tv)
    assert plex_error(plex_tv.get(f"/api/v2/pins/{pin['id']}", headers)) == (400, 1000)
    signed_in = sign_in(plex_tv, "alice")
    token = {"X-Plex-Token": signed_in["X-Plex-Token"], **headers}
    for path in ("/api/v2/user", "/api/v2/resources", "/api/v2/ping"):
        assert plex_error(plex_tv.get(path, token)) == (400, 1000)
        assert plex_tv.get(path, signed_in).status == 200


def test_an_expired_pin_is_gone(loop: LoopThread) -> None:
    app = plex.create_app(pin_lifetime=0.2)
    runner = loop.run(standins.serve(app, "127.0.0.1", 0))
    client = Client(standins.url_of(runner))
    pin = create_pin(client)
    time.sleep(0.3)
    assert plex_error(client.get(f"/api/v2/pins/{pin['id']}", CLIENT)) == (404, 1020)
    assert approve(client, pin, "alice").status == 404
    client.pool.clear()
    loop.run(runner.cleanup())


def test_an_approval_needs_a_known_code_and_a_known_person_once(plex_tv: Client) -> None:
    pin = create_pin(plex_tv)
    unknown_person = approve(plex_tv, pin, "mallory")
    assert unknown_person.status == 400
    assert "alice" in unknown_person.json()["error"]
    assert approve(plex_tv, {"code": "nothing"}, "alice").status == 404
    assert approve(plex_tv, pin, "bob").status == 200
    assert approve(plex_tv, pin, "alice").status == 409


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"alice"'])
def test_an_approval_with_a_broken_body_is_refused(plex_tv: Client, body: bytes) -> None:
    pin = create_pin(plex_tv)
    url = f"{plex_tv.origin}/standin/pins/{pin['code']}/approve"
    assert plex_tv.pool.request("POST", url, body=body).status == 400


def test_xml_unless_json_is_accepted(plex_tv: Client) -> None:
    headers = {"X-Plex-Client-Identifier": "medianest-test"}
    answer = plex_tv.ask("POST", "/api/v2/pins?strong=true", headers)
    assert answer.headers["Content-Type"].startswith("application/xml")
    pin = ET.fromstring(answer.data)
    assert pin.tag == "pin"
    assert pin.get("authToken") == ""
    assert len(pin.get("code", "")) == 25
    assert pin.find("location") is not None

    refused = ET.fromstring(plex_tv.get("/api/v2/user", headers).data)
    assert [error.get("code") for error in refused.iter("error")] == ["1001"]


def test_the_sign_in_page_lists_the_people_and_names_itself(plex_tv: Client) -> None:
    page = plex_tv.get("/auth")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "stand-in for plex.tv" in page.data.decode()
    assert all(person.username in page.data.decode() for person in plex.PEOPLE)


# --- plex.tv: who it is and what they reach


def test_the_user_of_a_token(plex_tv: Client) -> None:
    user = plex_tv.get("/api/v2/user", sign_in(plex_tv, "alice")).json()
    assert (user["id"], user["username"], user["email"]) == (1001, "alice", "alice@example.com")
    child = plex_tv.get("/api/v2/user", sign_in(plex_tv, "kids")).json()
    assert (child["id"], child["title"], child["email"]) == (1005, "kids", None)
    assert child["restricted"] is True


@pytest.mark.parametrize("path", ["/api/v2/user", "/api/v2/resources", "/api/v2/ping"])
def test_an_unknown_token_is_refused(plex_tv: Client, path: str) -> None:
    assert plex_error(plex_tv.get(path, CLIENT)) == (401, 1001)
    assert plex_error(plex_tv.get(path, {**CLIENT, "X-Plex-Token": "guess"})) == (401, 1001)
    odd = plex_tv.get(path, {**CLIENT, "X-Plex-Token": "no token at all"})
    assert odd.status == 422
    assert "Invalid token" in odd.data.decode()


def test_a_token_is_taken_from_the_header_only(plex_tv: Client) -> None:
    token = sign_in(plex_tv, "alice")["X-Plex-Token"]
    assert plex_error(plex_tv.get(f"/api/v2/user?X-Plex-Token={token}", CLIENT)) == (401, 1001)
    assert plex_tv.get("/api/v2/user", {**CLIENT, "X-Plex-Token": token}).status == 200


@pytest.mark.parametrize(
    ("username", "owned"),
    [("alice", True), ("bob", False), ("carol", False), ("kids", False), ("dave", None)],
)
def test_who_reaches_the_server(plex_tv: Client, username: str, owned: bool | None) -> None:
    path = "/api/v2/resources?includeHttps=1&includeRelay=1"
    resources = plex_tv.get(path, sign_in(plex_tv, username)).json()
    ours = [found for found in resources if found["clientIdentifier"] == plex.SERVER_ID]
    assert [found["owned"] for found in ours] == ([] if owned is None else [owned])
    assert all("server" in found["provides"].split(",") for found in ours)
    assert len(resources) - len(ours) == 2


def test_ping(plex_tv: Client) -> None:
    assert plex_tv.get("/api/v2/ping", sign_in(plex_tv, "bob")).json() == {"pong": True}


# --- TMDB


def search(client: Client, kind: str, query: str, page: str = "1") -> dict[str, Any]:
    answer = client.pool.request(
        "GET",
        f"{client.origin}/3/search/{kind}",
        fields={"query": query, "page": page, "language": "en-US", "include_adult": "false"},
        headers=KEY,
    )
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [result.get("title") or result["name"] for result in found["results"]]


def test_a_search_has_pages_of_twenty_in_order_of_popularity(tmdb_api: Client) -> None:
    first = search(tmdb_api, "movie", "the")
    second = search(tmdb_api, "movie", "the", "2")
    assert len(first["results"]) == 20
    assert first["total_pages"] == -(-first["total_results"] // 20)
    assert not {r["id"] for r in first["results"]} & {r["id"] for r in second["results"]}
    ranks = [result["popularity"] for result in first["results"] + second["results"]]
    assert ranks == sorted(ranks, reverse=True)
    assert search(tmdb_api, "movie", "the", "500")["results"] == []


@pytest.mark.parametrize("page", ["0", "501", "-1", "x", "1.5", ""])
def test_a_page_out_of_range_is_refused(tmdb_api: Client, page: str) -> None:
    answer = tmdb_api.get(f"/3/search/multi?query=matrix&page={page}", KEY)
    assert (answer.status, answer.json()["status_code"]) == (400, 22)


@pytest.mark.parametrize(
    ("kind", "query", "expected"),
    [
        ("movie", "MATRIX", "The Matrix"),
        ("movie", "amelie", "Amélie"),
        ("movie", "fabuleux poulain", "Amélie"),
        ("movie", "千尋", "Spirited Away"),
        ("movie", "rings return", "The Lord of the Rings: The Return of the King"),
        ("movie", "'burbs", "The 'Burbs"),
        ("movie", "%", "100% Wolf"),
        ("tv", "shogun", "Shōgun"),
        ("tv", "soledad anos", "One Hundred Years of Solitude"),
    ],
)
def test_a_search_finds_words_without_case_and_accents(
    tmdb_api: Client, kind: str, query: str, expected: str
) -> None:
    assert expected in names(search(tmdb_api, kind, query))


@pytest.mark.parametrize("query", ["", "?query=", "?query=%20%20", "?page=1"])
@pytest.mark.parametrize("kind", ["multi", "movie", "tv"])
def test_a_search_needs_a_query(tmdb_api: Client, kind: str, query: str) -> None:
    answer = tmdb_api.get(f"/3/search/{kind}{query}", KEY)
    assert answer.status == 422
    assert answer.json() == {"errors": ["query must be provided"]}


@pytest.mark.parametrize("query", ["matrix potter", "%matrix", "_"])
def test_a_search_takes_every_word_and_no_wildcard(tmdb_api: Client, query: str) -> None:
    found = search(tmdb_api, "multi", query)
    assert (found["results"], found["total_results"]) == ([], 0)


def test_multi_tells_films_shows_and_people_apart(tmdb_api: Client) -> None:
    fargo = search(tmdb_api, "multi", "fargo")["results"]
    assert {(found["media_type"], found["id"]) for found in fargo} == {
        ("movie", 275),
        ("tv", 60622),
    }
    assert {"title", "release_date", "genre_ids"} <= {*fargo[0], *fargo[1]}
    assert {"name", "first_air_date", "origin_country"} <= {*fargo[0], *fargo[1]}
    (keanu,) = search(tmdb_api, "multi", "keanu reeves")["results"]
    assert (keanu["media_type"], keanu["known_for"][0]["id"]) == ("person", 603)


def test_the_details_of_a_film(tmdb_api: Client) -> None:
    film = tmdb_api.get("/3/movie/550", KEY).json()
    assert (film["title"], film["release_date"]) == ("Fight Club", "1999-10-15")
    assert film["genres"] == [{"id": 18, "name": "Drama"}]
    assert film["runtime"] == 139
    assert "external_ids" not in film


def test_the_details_of_a_show_have_its_seasons(tmdb_api: Client) -> None:
    show = tmdb_api.get("/3/tv/1396?append_to_response=external_ids", KEY).json()
    assert (show["name"], show["number_of_seasons"]) == ("Breaking Bad", 5)
    assert [season["season_number"] for season in show["seasons"]] == [0, 1, 2, 3, 4, 5]
    assert show["seasons"][1] == {
        "season_number": 1,
        "name": "Season 1",
        "episode_count": 7,
        "air_date": "2008-01-20",
        "overview": "",
        "poster_path": None,
    }
    assert show["external_ids"] == {"imdb_id": "tt0903747", "tvdb_id": 81189}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/3/movie/1396000", 34),
        ("/3/tv/550", 34),
        ("/3/nothing", 34),
        ("/3/movie", 34),
        ("/3/movie/x", 6),
        ("/3/tv/0", 6),
        ("/3/tv/" + "9" * 5000, 6),
        ("/3/tv/\u0667", 6),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_not_there(tmdb_api: Client, path: str, code: int) -> None:
    answer = tmdb_api.get(path, KEY)
    assert (answer.status, answer.json()["status_code"]) == (404, code)


def test_another_method_is_not_there(tmdb_api: Client) -> None:
    assert tmdb_api.ask("POST", "/3/movie/550", KEY).json()["status_code"] == 34


@pytest.mark.parametrize(
    ("language", "title", "overview", "poster"),
    [
        ("", "The Matrix", "A programmer", "/matrix-poster.jpg"),
        ("?language=en-GB", "The Matrix", "A programmer", "/matrix-poster.jpg"),
        ("?language=nonsense", "The Matrix", "A programmer", "/matrix-poster.jpg"),
        ("?language=de-DE", "Matrix", "Ein Programmierer", None),
        ("?language=de", "Matrix", "Ein Programmierer", None),
        ("?language=fr-FR", "The Matrix", "", None),
    ],
)
def test_the_language_is_honoured(
    tmdb_api: Client, language: str, title: str, overview: str, poster: str | None
) -> None:
    film = tmdb_api.get(f"/3/movie/603{language}", KEY).json()
    assert (film["title"], film["original_title"]) == (title, "The Matrix")
    assert film["overview"].startswith(overview)
    assert bool(film["overview"]) == bool(overview)
    assert film["poster_path"] == poster


def test_what_is_not_translated_has_its_original_title(tmdb_api: Client) -> None:
    path = "/3/search/multi?query=spirited%20away&language=de-DE"
    (film,) = tmdb_api.get(path, KEY).json()["results"]
    assert (film["title"], film["overview"]) == ("千と千尋の神隠し", "")
    show = tmdb_api.get("/3/tv/1399?language=de-DE", KEY).json()
    assert show["name"] == "Game of Thrones – Das Lied von Eis und Feuer"
    assert show["seasons"][1]["name"] == "Staffel 1"
    path = "/3/search/tv?query=eis%20feuer&language=en-US"
    assert tmdb_api.get(path, KEY).json()["results"][0]["name"] == "Game of Thrones"


def test_translations_and_pictures_are_appended(tmdb_api: Client) -> None:
    path = "/3/movie/194?language=de&append_to_response=translations,images"
    film = tmdb_api.get(path, KEY).json()
    english, german = sorted(
        film["translations"]["translations"], key=lambda each: str(each["english_name"])
    )
    assert english["data"]["title"] == "Amélie"
    assert (german["iso_639_1"], german["iso_3166_1"]) == ("de", "DE")
    assert german["data"]["title"] == film["title"] == "Die fabelhafte Welt der Amélie"
    show = tmdb_api.get("/3/tv/1396?append_to_response=translations", KEY).json()
    (only,) = show["translations"]["translations"]
    assert only["data"]["name"] == "", "that of the original is not repeated"
    path = "/3/movie/603?language=de&append_to_response=images"
    assert tmdb_api.get(path, KEY).json()["images"]["posters"] == []
    path += "&include_image_language=en,null"
    (poster,) = tmdb_api.get(path, KEY).json()["images"]["posters"]
    assert (poster["file_path"], poster["iso_639_1"]) == ("/matrix-poster.jpg", "en")


def test_no_more_than_twenty_are_appended(tmdb_api: Client) -> None:
    for number, status in ((20, 200), (21, 400)):
        appended = ",".join(f"x{each}" for each in range(number))
        answer = tmdb_api.get(f"/3/movie/603?append_to_response={appended}", KEY)
        assert answer.status == status
    assert answer.json()["status_code"] == 27


def test_a_date_that_is_not_known_is_empty_or_missing(loop: LoopThread) -> None:
    planned = tmdb.Title("tv", 5, "Planned Show", seasons={1: 0})
    app = tmdb.create_app(tmdb.Catalogue((planned,)))
    runner = loop.run(standins.serve(app, "127.0.0.1", 0))
    client = Client(standins.url_of(runner))
    (found,) = search(client, "tv", "planned")["results"]
    assert "first_air_date" not in found
    show = client.get("/3/tv/5", KEY).json()
    assert show["first_air_date"] == ""
    assert (show["seasons"][0]["episode_count"], show["seasons"][0]["air_date"]) == (0, None)
    client.pool.clear()
    loop.run(runner.cleanup())


@pytest.mark.parametrize("path", ["/3/configuration", "/3/movie/550", "/3/search/tv?query=a"])
def test_a_key_is_required_in_the_query_or_the_header(tmdb_api: Client, path: str) -> None:
    values = ("", "Bearer ", "Basic abc", "Bearer a-v3-key", "bearer a.b.c")
    for headers in ({}, *({"Authorization": value} for value in values)):
        answer = tmdb_api.get(path, headers)
        assert (answer.status, answer.json()["status_code"]) == (401, 7)
    with_key = f"{path}{'&' if '?' in path else '?'}api_key="
    assert tmdb_api.get(f"{with_key}a.v4.token").status == 401
    assert tmdb_api.get(f"{with_key}abc").status == 200
    assert tmdb_api.get(path, KEY).status == 200


# --- faults


def test_a_status_with_retry_after_until_the_count_is_used_up(tmdb_api: Client) -> None:
    tmdb_api.order(kind="status", status=429, retryAfter=7, count=2)
    for _ in range(2):
        answer = tmdb_api.get("/3/movie/550", KEY)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert tmdb_api.get("/3/movie/550", KEY).status == 200


def test_a_fault_keeps_to_its_path_and_ends_on_order(tmdb_api: Client) -> None:
    tmdb_api.order(kind="status", status=503, path="/3/movie/")
    assert tmdb_api.get("/3/tv/1396", KEY).status == 200
    assert tmdb_api.get("/3/movie/550", KEY).status == 503
    assert tmdb_api.ask("DELETE", "/standin/fault").status == 204
    assert tmdb_api.get("/3/movie/550", KEY).status == 200


def test_html(plex_tv: Client) -> None:
    plex_tv.order(kind="html")
    answer = plex_tv.get("/api/v2/user", CLIENT)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_wrong_types(tmdb_api: Client) -> None:
    tmdb_api.order(kind="wrong-types")
    answer = tmdb_api.get("/3/search/multi?query=matrix", KEY)
    assert answer.status == 200
    assert isinstance(answer.json(), list)


def test_hang(tmdb_api: Client) -> None:
    tmdb_api.order(kind="hang", count=1)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        tmdb_api.pool.request("GET", f"{tmdb_api.origin}/3/movie/550", headers=KEY, timeout=0.3)
    assert tmdb_api.get("/3/movie/550", KEY).status == 200


def test_drip(tmdb_api: Client) -> None:
    tmdb_api.order(kind="drip", count=1)
    started = time.monotonic()
    answer = tmdb_api.pool.request(
        "GET", f"{tmdb_api.origin}/3/movie/550", headers=KEY, preload_content=False
    )
    assert answer.status == 200
    assert [answer.read(1), answer.read(1)] == [b" ", b" "]
    assert time.monotonic() - started >= 0.9
    answer.close()


def test_slow(tmdb_api: Client) -> None:
    tmdb_api.order(kind="slow", seconds=1, count=1)
    started = time.monotonic()
    assert tmdb_api.get("/3/movie/550", KEY).json()["title"] == "Fight Club"
    assert time.monotonic() - started >= 0.9
    assert tmdb_api.get("/standin/requests").json()[-1]["path"] == "/3/movie/550"


def test_huge(tmdb_api: Client) -> None:
    tmdb_api.order(kind="huge")
    answer = tmdb_api.get("/3/movie/550", KEY)
    assert "Content-Length" not in answer.headers
    assert len(answer.data) > 10 * 1024 * 1024
    assert set(answer.json()) == {"filler"}


def test_gzip_bomb(tmdb_api: Client) -> None:
    tmdb_api.order(kind="gzip-bomb")
    answer = tmdb_api.pool.request(
        "GET", f"{tmdb_api.origin}/3/movie/550", headers=KEY, decode_content=False
    )
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) < 1024 * 1024
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    unpacked = 0
    packed = answer.data
    while packed:
        unpacked += len(unpacker.decompress(packed, max_length=1024 * 1024))
        packed = unpacker.unconsumed_tail
    assert unpacked > 190 * 1024 * 1024


def test_redirect(plex_tv: Client) -> None:
    plex_tv.order(kind="redirect", location="http://192.0.2.1/elsewhere")
    answer = plex_tv.get("/api/v2/user", CLIENT)
    assert (answer.status, answer.headers["Location"]) == (302, "http://192.0.2.1/elsewhere")


def test_close(plex_tv: Client) -> None:
    plex_tv.order(kind="close", count=1)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        plex_tv.get("/api/v2/user", CLIENT)
    assert plex_tv.get("/api/v2/user", CLIENT).status == 401


@pytest.mark.parametrize(
    "order",
    [
        {},
        [],
        {"kind": "nonsense"},
        {"kind": "redirect"},
        {"kind": "status", "count": 0},
        {"kind": "status", "status": "500"},
        {"kind": "slow", "seconds": -1},
        {"kind": "html", "typo": 1},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(plex_tv: Client, order: object) -> None:
    answer = plex_tv.ask("PUT", "/standin/fault", body=order)
    assert answer.status == 400
    assert answer.json()["error"]


def test_the_requests_seen_are_listed_without_the_control_routes(tmdb_api: Client) -> None:
    tmdb_api.order(kind="status", count=1)
    tmdb_api.get("/3/search/multi?query=a%20b", KEY)
    tmdb_api.get("/3/movie/550", KEY)
    seen = tmdb_api.get("/standin/requests").json()
    assert [(call["method"], call["path"], call["query"]) for call in seen] == [
        ("GET", "/3/search/multi", "query=a%20b"),
        ("GET", "/3/movie/550", ""),
    ]
    assert seen[0]["headers"]["Authorization"] == "Bearer a.read.token"
    assert tmdb_api.ask("DELETE", "/standin/requests").status == 204
    assert tmdb_api.get("/standin/requests").json() == []


def test_the_last_two_hundred_requests_are_kept(tmdb_api: Client) -> None:
    for number in range(205):
        tmdb_api.get(f"/3/movie/{number}", KEY)
    seen = tmdb_api.get("/standin/requests").json()
    assert [call["path"] for call in seen] == [f"/3/movie/{n}" for n in range(5, 205)]


def test_stopping_does_not_wait_for_an_answer_that_hangs(loop: LoopThread) -> None:
    started = loop.run(standins.start())
    client = Client(started.tmdb_url)
    client.order(kind="drip")
    answer = client.pool.request(
        "GET", f"{started.tmdb_url}/3/movie/550", headers=KEY, preload_content=False
    )
    begun = time.monotonic()
    loop.run(started.stop())
    assert time.monotonic() - begun < 3
    answer.close()
    client.pool.clear()


# --- the catalogue


def test_the_catalogue_is_well_formed() -> None:
    catalogue = tmdb.load_catalogue()
    keys = [(title.media_type, title.id) for title in catalogue.titles]
    assert len(keys) == len(set(keys))
    assert sum(media_type == "movie" for media_type, _ in keys) >= 300
    assert sum(media_type == "tv" for media_type, _ in keys) >= 100
    for title in catalogue.titles:
        assert title.title.strip() == title.title != ""
        assert title.id > 0
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", title.date)
        assert title.genres
        assert set(title.genres) <= set(tmdb.GENRES)
        numbers = sorted(title.seasons.keys() - {0})
        assert numbers == list(range(1, len(numbers) + 1))
        assert bool(numbers) == (title.media_type == "tv")
        announced = [number for number, episodes in title.seasons.items() if not episodes]
        assert announced in ([], [numbers[-1]] if numbers else [])
        assert title.translations.keys() <= {"de-DE"}
    assert all(("movie", id_) in keys for star in catalogue.stars for id_ in star.known_for)


@pytest.mark.parametrize(
    ("media_type", "id_", "name"),
    [
        ("movie", 550, "Fight Club"),
        ("movie", 603, "The Matrix"),
        ("movie", 27205, "Inception"),
        ("movie", 157336, "Interstellar"),
        ("movie", 13, "Forrest Gump"),
        ("movie", 238, "The Godfather"),
        ("movie", 680, "Pulp Fiction"),
        ("movie", 129, "Spirited Away"),
        ("movie", 194, "Amélie"),
        ("tv", 1396, "Breaking Bad"),
        ("tv", 1399, "Game of Thrones"),
        ("tv", 1438, "The Wire"),
        ("tv", 2316, "The Office"),
        ("tv", 66732, "Stranger Things"),
        ("tv", 87108, "Chernobyl"),
    ],
)
def test_the_best_known_ids_are_right(media_type: str, id_: int, name: str) -> None:
    titles = tmdb.load_catalogue().titles
    assert [t.title for t in titles if (t.media_type, t.id) == (media_type, id_)] == [name]


def test_the_catalogue_has_one_title_a_line() -> None:
    lines = tmdb.CATALOGUE.read_text(encoding="utf-8").splitlines()
    entries = [line.rstrip(",") for line in lines if line.startswith("    {")]
    assert all(json.loads(entry)["id"] for entry in entries)
    assert len(entries) == len(lines) - 8
