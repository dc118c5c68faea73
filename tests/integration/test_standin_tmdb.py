"""The stand-in for TMDB, over real HTTP, and its catalogue."""

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from local.standins import Standins
from local.standins.tmdb.app import create_app
from local.standins.tmdb.catalogue import CATALOGUE, Catalogue, Title, load_catalogue
from local.standins.tmdb.details import GENRES
from local.standins.tmdb.pictures import draw
from tests.support.standin import Client, client_of, served

KEY = {"Authorization": "Bearer a.read.token"}


@pytest.fixture
def tmdb_api(upstreams: Standins) -> Iterator[Client]:
    with client_of(upstreams.tmdb_url) as client:
        yield client


def search(client: Client, kind: str, query: str, page: str = "1") -> dict[str, Any]:
    answer = client.pool.request(
        "GET",
        f"{client.origin}/3/search/{kind}",
        fields={"query": query, "page": page, "language": "en-US", "include_adult": "false"},
        headers=KEY,
    )
    assert answer.status == 200
    results: dict[str, Any] = answer.json()
    return results


def titles_of(page: dict[str, Any]) -> list[str]:
    return [result.get("title") or result["name"] for result in page["results"]]


def test_search_has_pages_of_twenty_sorted_by_popularity(tmdb_api: Client) -> None:
    first = search(tmdb_api, "movie", "the")
    second = search(tmdb_api, "movie", "the", "2")
    assert len(first["results"]) == 20
    assert first["total_pages"] == -(-first["total_results"] // 20)
    assert not {r["id"] for r in first["results"]} & {r["id"] for r in second["results"]}
    ranks = [result["popularity"] for result in first["results"] + second["results"]]
    assert ranks == sorted(ranks, reverse=True)
    assert search(tmdb_api, "movie", "the", "500")["results"] == []


@pytest.mark.parametrize("page", ["0", "501", "-1", "x", "1.5", ""])
def test_invalid_page_number_is_rejected(tmdb_api: Client, page: str) -> None:
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
def test_search_ignores_case_and_accents(
    tmdb_api: Client, kind: str, query: str, expected: str
) -> None:
    assert expected in titles_of(search(tmdb_api, kind, query))


@pytest.mark.parametrize("query", ["", "?query=", "?query=%20%20", "?page=1"])
@pytest.mark.parametrize("kind", ["multi", "movie", "tv"])
def test_search_without_a_query_is_rejected(tmdb_api: Client, kind: str, query: str) -> None:
    answer = tmdb_api.get(f"/3/search/{kind}{query}", KEY)
    assert answer.status == 422
    assert answer.json() == {"errors": ["query must be provided"]}


@pytest.mark.parametrize("query", ["matrix potter", "%matrix", "_"])
def test_search_matches_all_words_and_has_no_wildcards(tmdb_api: Client, query: str) -> None:
    page = search(tmdb_api, "multi", query)
    assert (page["results"], page["total_results"]) == ([], 0)


def test_multi_search_marks_films_shows_and_people(tmdb_api: Client) -> None:
    fargo = search(tmdb_api, "multi", "fargo")["results"]
    assert {(result["media_type"], result["id"]) for result in fargo} == {
        ("movie", 275),
        ("tv", 60622),
    }
    assert {"title", "release_date", "genre_ids"} <= {*fargo[0], *fargo[1]}
    assert {"name", "first_air_date", "origin_country"} <= {*fargo[0], *fargo[1]}
    (keanu,) = search(tmdb_api, "multi", "keanu reeves")["results"]
    assert (keanu["media_type"], keanu["known_for"][0]["id"]) == ("person", 603)


def test_film_details_have_genres_and_runtime(tmdb_api: Client) -> None:
    film = tmdb_api.get("/3/movie/550", KEY).json()
    assert (film["title"], film["release_date"]) == ("Fight Club", "1999-10-15")
    assert film["genres"] == [{"id": 18, "name": "Drama"}]
    assert film["runtime"] == 139
    assert "external_ids" not in film


def test_show_details_have_the_seasons(tmdb_api: Client) -> None:
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
def test_unknown_id_or_path_is_not_found(tmdb_api: Client, path: str, code: int) -> None:
    answer = tmdb_api.get(path, KEY)
    assert (answer.status, answer.json()["status_code"]) == (404, code)


def test_unsupported_method_is_not_found(tmdb_api: Client) -> None:
    assert tmdb_api.send("POST", "/3/movie/550", KEY).json()["status_code"] == 34


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
def test_details_are_in_the_requested_language(
    tmdb_api: Client, language: str, title: str, overview: str, poster: str | None
) -> None:
    film = tmdb_api.get(f"/3/movie/603{language}", KEY).json()
    assert (film["title"], film["original_title"]) == (title, "The Matrix")
    assert film["overview"].startswith(overview)
    assert bool(film["overview"]) == bool(overview)
    assert film["poster_path"] == poster


def test_title_without_translation_is_returned_in_the_original_language(tmdb_api: Client) -> None:
    path = "/3/search/multi?query=spirited%20away&language=de-DE"
    (film,) = tmdb_api.get(path, KEY).json()["results"]
    assert (film["title"], film["overview"]) == ("千と千尋の神隠し", "")
    show = tmdb_api.get("/3/tv/1399?language=de-DE", KEY).json()
    assert show["name"] == "Game of Thrones – Das Lied von Eis und Feuer"
    assert show["seasons"][1]["name"] == "Staffel 1"
    path = "/3/search/tv?query=eis%20feuer&language=en-US"
    assert tmdb_api.get(path, KEY).json()["results"][0]["name"] == "Game of Thrones"


def test_translations_and_images_are_appended(tmdb_api: Client) -> None:
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
    assert only["data"]["name"] == "", "the original title is not repeated"
    path = "/3/movie/603?language=de&append_to_response=images"
    assert tmdb_api.get(path, KEY).json()["images"]["posters"] == []
    path += "&include_image_language=en,null"
    (poster,) = tmdb_api.get(path, KEY).json()["images"]["posters"]
    assert (poster["file_path"], poster["iso_639_1"]) == ("/matrix-poster.jpg", "en")


def test_more_than_twenty_appended_parts_are_rejected(tmdb_api: Client) -> None:
    for number, status in ((20, 200), (21, 400)):
        appended = ",".join(f"x{each}" for each in range(number))
        answer = tmdb_api.get(f"/3/movie/603?append_to_response={appended}", KEY)
        assert answer.status == status
    assert answer.json()["status_code"] == 27


def test_unknown_date_is_empty_or_missing() -> None:
    planned = Title("tv", 5, "Planned Show", seasons={1: 0})
    app = create_app(Catalogue((planned,)))
    with served(app) as origin, client_of(origin) as client:
        (result,) = search(client, "tv", "planned")["results"]
        assert "first_air_date" not in result
        show = client.get("/3/tv/5", KEY).json()
    assert show["first_air_date"] == ""
    assert (show["seasons"][0]["episode_count"], show["seasons"][0]["air_date"]) == (0, None)


@pytest.mark.parametrize("path", ["/3/configuration", "/3/movie/550", "/3/search/tv?query=a"])
def test_call_without_a_valid_key_is_refused(tmdb_api: Client, path: str) -> None:
    values = ("", "Bearer ", "Basic abc", "Bearer a-v3-key", "bearer a.b.c")
    for headers in ({}, *({"Authorization": value} for value in values)):
        answer = tmdb_api.get(path, headers)
        assert (answer.status, answer.json()["status_code"]) == (401, 7)
    with_key = f"{path}{'&' if '?' in path else '?'}api_key="
    assert tmdb_api.get(f"{with_key}a.v4.token").status == 401
    assert tmdb_api.get(f"{with_key}abc").status == 200
    assert tmdb_api.get(path, KEY).status == 200


def test_catalogue_is_well_formed() -> None:
    catalogue = load_catalogue()
    keys = [(title.media_type, title.id) for title in catalogue.titles]
    assert len(keys) == len(set(keys))
    assert sum(media_type == "movie" for media_type, _ in keys) >= 300
    assert sum(media_type == "tv" for media_type, _ in keys) >= 100
    for title in catalogue.titles:
        assert title.title.strip() == title.title != ""
        assert title.id > 0
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", title.date)
        assert title.genres
        assert set(title.genres) <= set(GENRES)
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
def test_well_known_titles_have_their_tmdb_ids(media_type: str, id_: int, name: str) -> None:
    titles = load_catalogue().titles
    assert [t.title for t in titles if (t.media_type, t.id) == (media_type, id_)] == [name]


def test_catalogue_file_has_one_title_per_line() -> None:
    lines = CATALOGUE.read_text(encoding="utf-8").splitlines()
    entries = [line.rstrip(",") for line in lines if line.startswith("    {")]
    assert all(json.loads(entry)["id"] for entry in entries)
    assert len(entries) == len(lines) - 10


def results_of(client: Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(f"/3{path}", KEY)
    assert answer.status == 200, path
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


@pytest.mark.parametrize("window", ["day", "week"])
def test_trending_titles_name_their_type_and_include_people(tmdb_api: Client, window: str) -> None:
    everything = results_of(tmdb_api, f"/trending/all/{window}")
    assert {each["media_type"] for each in everything} == {"movie", "tv", "person"}
    for kind in ("movie", "tv"):
        results = results_of(tmdb_api, f"/trending/{kind}/{window}")
        assert {each["media_type"] for each in results} == {kind}


def test_popular_titles_are_sorted_and_do_not_name_their_type(tmdb_api: Client) -> None:
    for kind in ("movie", "tv"):
        results = results_of(tmdb_api, f"/{kind}/popular")
        ranks = [each["popularity"] for each in results]
        assert ranks == sorted(ranks, reverse=True)
        assert not any("media_type" in each for each in results)


def test_upcoming_films_are_between_the_dates_of_the_list(tmdb_api: Client) -> None:
    page = tmdb_api.get("/3/movie/upcoming?page=1", KEY).json()
    dates = page["dates"]
    assert dates.keys() == {"maximum", "minimum"}
    assert page["total_results"] > 20
    for film in page["results"]:
        assert dates["minimum"] <= film["release_date"] <= dates["maximum"]


def test_shows_are_discovered_by_their_first_air_date(tmdb_api: Client) -> None:
    shows = results_of(tmdb_api, "/discover/tv?first_air_date.gte=2024-01-01")
    assert shows
    assert all(each["first_air_date"] >= "2024-01-01" for each in shows)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/trending/person/week", 404, 34),
        ("/trending/all/year", 404, 34),
        ("/trending/all", 404, 34),
        ("/tv/upcoming", 404, 6),
        ("/trending/all/week?page=501", 400, 22),
        ("/movie/popular?page=0", 400, 22),
        ("/movie/upcoming?page=x", 400, 22),
        ("/discover/tv?page=501", 400, 22),
        ("/discover/tv?first_air_date.gte=tomorrow", 422, 5),
        ("/discover/tv?sort_by=name", 422, 5),
        ("/find/tt0133093", 422, 5),
        ("/find/tt0133093?external_source=tmdb", 422, 5),
        ("/find/x?external_source=imdb_id", 404, 34),
    ],
)
def test_invalid_list_is_rejected(tmdb_api: Client, path: str, status: int, code: int) -> None:
    answer = tmdb_api.get(f"/3{path}", KEY)
    assert (answer.status, answer.json()["status_code"]) == (status, code)


def test_titles_are_found_by_an_external_id(tmdb_api: Client) -> None:
    film = tmdb_api.get("/3/find/tt0133093?external_source=imdb_id", KEY).json()
    assert [(each["media_type"], each["id"]) for each in film["movie_results"]] == [("movie", 603)]
    assert film.keys() == {
        *("movie_results", "tv_results", "person_results"),
        *("tv_episode_results", "tv_season_results"),
    }
    show = tmdb_api.get("/3/find/81189?external_source=tvdb_id", KEY).json()
    assert [each["id"] for each in show["tv_results"]] == [1396]
    nothing = tmdb_api.get("/3/find/tt9999999?external_source=imdb_id", KEY).json()
    assert not any(nothing.values())


@pytest.mark.parametrize("name", ["primary_release_year", "year"])
def test_search_is_filtered_by_year(tmdb_api: Client, name: str) -> None:
    results = results_of(tmdb_api, f"/search/movie?query=matrix&{name}=1999")
    assert [each["id"] for each in results] == [603]
    path = "/search/tv?query=breaking&first_air_date_year="
    assert [each["id"] for each in results_of(tmdb_api, f"{path}2008")] == [1396]
    assert results_of(tmdb_api, f"{path}2009") == []


@pytest.mark.parametrize("kind", ["poster", "backdrop"])
def test_pictures_of_titles_are_drawn(tmdb_api: Client, kind: str) -> None:
    film = tmdb_api.get("/3/movie/27205", KEY).json()
    answer = tmdb_api.get(f"/t/p/w342{film[f'{kind}_path']}")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    image = ET.fromstring(answer.data)
    assert image.attrib["width"] == "342"
    texts = [each.text for each in image.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == (["Inception", "2010 · Action"] if kind == "poster" else [])


def test_picture_is_the_same_at_each_call_and_differs_between_titles(tmdb_api: Client) -> None:
    paths = ["/t/p/w342/movie-155-poster.svg", "/t/p/w342/movie-19995-poster.svg"]
    first, second, again = (tmdb_api.get(path).data for path in (*paths, paths[0]))
    assert first == again != second


@pytest.mark.parametrize(
    "path", ["/t/p/w342/movie-832-poster.svg", "/t/p/w342/movie-1-poster.svg", "/t/p/w0/a.svg"]
)
def test_unknown_picture_is_not_found(tmdb_api: Client, path: str) -> None:
    assert tmdb_api.get(path).status == 404


def test_title_in_markup_characters_is_drawn_as_text() -> None:
    title = Title("movie", 1, '<b>"Fish & Chips"', date="2020-01-01")
    assert "&lt;b&gt;" in draw(title, "poster", 342)
    ET.fromstring(draw(title, "poster", 342))
