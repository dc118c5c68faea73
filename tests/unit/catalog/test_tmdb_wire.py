"""Parsing of TMDB's responses, as the client returns them."""

from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from medianest.catalog.models import CachedValue, SearchPage, Season, Title, TitleDetails
from medianest.catalog.tmdb import TmdbClient
from medianest.core import http
from medianest.core.error_codes import ErrorCode
from medianest.core.errors import AppError
from medianest.core.variables import Environment
from tests.support.canned import ABSENT, changed
from tests.support.tmdb import (
    MOVIE,
    PERSON,
    SHOW,
    V3_KEY,
    MemoryCache,
    Tmdb,
    client_of,
    details_of,
    titles_of,
)


def test_films_and_shows_are_found(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.set_results(MOVIE, SHOW, total=2)
    page = SearchPage(
        [
            Title("movie", 603, "The Matrix", 1999, "A hacker.", "/m.jpg"),
            Title("tv", 1396, "Breaking Bad", 2008, "A teacher.", "/b.jpg"),
        ],
        page=1,
        total=2,
    )
    assert client.search("x", "all", 1) == CachedValue(page)


def test_people_are_dropped(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.set_results(PERSON, MOVIE, PERSON, total=3)
    assert [title.tmdb_id for title in titles_of(client)] == [603]


@pytest.mark.parametrize(
    "invalid",
    [
        {},
        {"media_type": "movie"},
        changed(MOVIE, media_type="collection"),
        changed(MOVIE, media_type=None),
        changed(MOVIE, media_type=["movie"]),
        changed(MOVIE, media_type=ABSENT),
        changed(MOVIE, id=ABSENT),
        changed(MOVIE, id="603"),
        changed(MOVIE, id=603.0),
        changed(MOVIE, id=True),
        changed(MOVIE, id=0),
        changed(MOVIE, id=-1),
        changed(MOVIE, id=2**31),
        changed(MOVIE, id=10**400),
        changed(MOVIE, title=ABSENT),
        changed(MOVIE, title=None),
        changed(MOVIE, title=" \u200b ", original_title=""),
        changed(MOVIE, title=["The Matrix"]),
        changed(MOVIE, title="\ud800", original_title=5),
        changed(SHOW, name=ABSENT),
        changed(SHOW, media_type="movie"),
        None,
        "The Matrix",
        603,
        [MOVIE],
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_invalid_item_is_dropped(tmdb: Tmdb, client: TmdbClient, invalid: Any) -> None:
    tmdb.set_results(invalid, SHOW, invalid)
    assert [title.tmdb_id for title in titles_of(client)] == [1396]


@pytest.mark.parametrize(
    ("field", "invalid", "attribute"),
    [
        ("overview", 1, "overview"),
        ("overview", ["x"], "overview"),
        ("overview", "\ud800", "overview"),
        ("overview", " \n ", "overview"),
        ("poster_path", {}, "poster_path"),
        ("poster_path", True, "poster_path"),
        ("release_date", 1999, "year"),
        ("backdrop_path", 5, "year"),
        ("genres", "x", "year"),
    ],
    ids=str,
)
def test_an_invalid_optional_field_of_an_item_is_absent(
    tmdb: Tmdb, client: TmdbClient, field: str, invalid: Any, attribute: str
) -> None:
    tmdb.set_results(changed(MOVIE, **{field: invalid}), SHOW, total=2)
    film, show = titles_of(client)
    expected = Title("movie", 603, "The Matrix", 1999, "A hacker.", "/m.jpg")
    if field not in {"backdrop_path", "genres"}:
        expected = replace(expected, **cast("Any", {attribute: None}))
    assert film == expected
    assert show.tmdb_id == 1396


@pytest.mark.parametrize(
    "title", [None, "", "  ", "\u200b\n", 5, ["x"], "\ud800", ABSENT], ids=repr
)
@pytest.mark.parametrize(
    ("item", "name", "original"),
    [(MOVIE, "title", "original_title"), (SHOW, "name", "original_name")],
    ids=["movie", "tv"],
)
def test_a_missing_title_falls_back_to_the_original_title(
    tmdb: Tmdb, client: TmdbClient, item: dict[str, Any], name: str, original: str, title: Any
) -> None:
    tmdb.set_results(changed(item, **{name: title, original: " \u5343\u3068\u5343\u5c0b "}))
    assert [each.title for each in titles_of(client)] == ["\u5343\u3068\u5343\u5c0b"]
    tmdb.body = changed(item, **{name: title, original: "Original"})
    assert details_of(client, item["media_type"]).title == "Original"


@pytest.mark.parametrize(
    ("title", "stored"),
    [
        (" The Matrix\u00a0", "The Matrix"),
        ("The\u00a0Matrix", "The Matrix"),
        ("The\tMat\0rix\u202e", "The Matrix"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("x" * 3000, "x" * 800),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_titles_have_no_control_characters_or_outer_spaces(
    tmdb: Tmdb, client: TmdbClient, title: str, stored: str
) -> None:
    tmdb.set_results(changed(MOVIE, title=title))
    assert titles_of(client)[0].title == stored
    tmdb.body = changed(MOVIE, title=title)
    assert details_of(client).title == stored


def test_an_overview_keeps_its_paragraphs(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.body = changed(MOVIE, overview=" One.\r\n\r\nTwo\0.\u202e \n")
    assert details_of(client).overview == "One.\n\nTwo."


def test_a_dropped_field_is_logged_without_its_value(
    tmdb: Tmdb, client: TmdbClient, caplog: pytest.LogCaptureFixture
) -> None:
    tmdb.set_results(
        changed(MOVIE, overview=["canary"]),
        changed(SHOW, id="canary-id", name=5),
        changed(SHOW, name=None),
        changed(MOVIE, media_type="canary"),
        PERSON,
        "canary",
    )
    titles_of(client)
    logged = [
        tuple(getattr(record, key) for key in ("message", "host", "path", "item", "cause"))
        for record in caplog.records
    ]
    source = ("tmdb.example.org", "/search/multi")
    assert logged == [
        ("upstream_field_dropped", *source, 603, "overview: string_type"),
        ("upstream_item_dropped", *source, "canary-id", "id: int_type, name: string_type"),
        ("upstream_item_dropped", *source, 1396, "title: missing"),
        ("upstream_item_dropped", *source, 603, "media_type: unknown"),
        ("upstream_item_dropped", *source, None, "media_type: unknown"),
    ]


def test_the_log_of_a_response_with_many_invalid_items_is_bounded(
    tmdb: Tmdb, client: TmdbClient, caplog: pytest.LogCaptureFixture
) -> None:
    tmdb.set_results(*[None] * 500, total=500)
    client.search("x", "movie", 1)
    assert len(caplog.records) == 20


def test_items_need_no_type_in_a_search_of_one_type(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.set_results(changed(MOVIE, media_type=ABSENT))
    assert client.search("x", "movie", 1).value.titles[0].media_type == "movie"
    tmdb.set_results(changed(SHOW, media_type=ABSENT))
    assert client.search("x", "tv", 1).value.titles[0].media_type == "tv"


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("1999-03-31", 1999),
        ("1999", 1999),
        ("0999-01-01", 999),
        ("0000-00-00", None),
        ("0000", None),
        ("1999-00-00", None),
        ("1999-13-01", None),
        ("1999-02-30", None),
        ("19990331", None),
        ("1999-03-31T00:00:00Z", None),
        ("19999", None),
        (ABSENT, None),
        (None, None),
        ("", None),
        ("99", None),
        ("199", None),
        ("-1999", None),
        ("19 99", None),
        ("+199-01-01", None),
        ("1e10", None),
        ("1_99", None),
        ("٢٠٢٤-01-01", None),
        ("²⁰²⁴", None),
        ("soon", None),
        ("\0\0\0\0", None),
    ],
)
@pytest.mark.parametrize(
    ("item", "field"), [(MOVIE, "release_date"), (SHOW, "first_air_date")], ids=["movie", "tv"]
)
def test_the_year_comes_from_a_valid_date_only(
    tmdb: Tmdb,
    client: TmdbClient,
    item: dict[str, Any],
    field: str,
    date: Any,
    year: int | None,
) -> None:
    tmdb.set_results(changed(item, **{field: date}))
    (title,) = titles_of(client)
    assert title.year == year


@pytest.mark.parametrize("value", [None, "", ABSENT], ids=["null", "empty", "missing"])
@pytest.mark.parametrize("field", ["overview", "poster_path"])
def test_an_empty_text_field_is_absent(
    tmdb: Tmdb, client: TmdbClient, field: str, value: Any
) -> None:
    tmdb.set_results(changed(MOVIE, **{field: value}))
    (title,) = titles_of(client)
    assert getattr(title, field) is None
    assert title.title == "The Matrix"


@pytest.mark.parametrize(
    ("total", "capped"),
    [(0, 0), (1, 1), (9_999, 9_999), (10_000, 10_000), (10_001, 10_000), (10**12, 10_000)],
)
def test_the_total_is_capped_at_the_last_page_of_tmdb(
    tmdb: Tmdb, client: TmdbClient, total: int, capped: int
) -> None:
    tmdb.set_results(total=total)
    assert client.search("x", "movie", 1).value.total == capped


@pytest.mark.parametrize("invalid", ["1", -1, 1.5, None, True, ABSENT, []], ids=repr)
def test_an_invalid_total_is_replaced_by_the_number_of_results(
    tmdb: Tmdb, client: TmdbClient, invalid: Any
) -> None:
    tmdb.body = changed({"results": [SHOW, MOVIE]}, total_results=invalid)
    assert client.search("x", "all", 1).value.total == 2
    tmdb.body = changed({"results": [changed(MOVIE)]}, total_results=invalid)
    assert client.search("x", "movie", 3).value.total == 41


@pytest.mark.parametrize(("page", "told", "total"), [(1, 0, 1), (3, 2, 41), (3, 60, 60)])
def test_the_total_counts_at_least_the_results_so_far(
    tmdb: Tmdb, client: TmdbClient, page: int, told: int, total: int
) -> None:
    tmdb.set_results(MOVIE, total=told)
    assert client.search("x", "movie", page).value.total == total


def test_a_page_has_at_most_twenty_titles(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.set_results(*[MOVIE] * 30, total=30)
    assert len(titles_of(client)) == 20


def test_details_of_a_film_have_its_fields(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.body = changed(
        MOVIE,
        media_type=ABSENT,
        genres=[{"id": 28, "name": "Action"}, {"id": 878, "name": " Science Fiction "}],
        runtime=136,
        backdrop_path="/w.jpg",
        seasons=[{"season_number": 1}],
    )
    assert client.details("movie", 603) == CachedValue(
        TitleDetails(
            "movie",
            603,
            "The Matrix",
            1999,
            "A hacker.",
            "/m.jpg",
            backdrop_path="/w.jpg",
            genres=("Action", "Science Fiction"),
            runtime=136,
        )
    )
    assert tmdb.calls[0][1] == "https://tmdb.example.org/3/movie/603"


def test_details_of_a_show_have_its_seasons_in_order_with_specials(
    tmdb: Tmdb, client: TmdbClient
) -> None:
    tmdb.body = SHOW | {
        "runtime": 50,
        "seasons": [
            {"season_number": 2, "name": "  Season 2 ", "episode_count": 13, "air_date": None},
            {"season_number": 0},
            {
                "season_number": 1,
                "name": "Season 1",
                "episode_count": 7,
                "air_date": "2008-01-20",
                "poster_path": 5,
            },
        ],
    }
    show = details_of(client, "tv")
    assert show.seasons == (
        Season(0),
        Season(1, "Season 1", 7, date(2008, 1, 20)),
        Season(2, "Season 2", 13),
    )
    assert (show.title, show.year, show.runtime) == ("Breaking Bad", 2008, None)
    assert tmdb.calls[0][1] == "https://tmdb.example.org/3/tv/1396"


def test_a_season_that_tmdb_lists_twice_occurs_once(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.body = SHOW | {"seasons": [{"season_number": number} for number in (3, 0, 1, 2, 1)]}
    assert details_of(client, "tv").seasons == tuple(map(Season, range(4)))


def test_a_show_may_have_no_seasons(tmdb: Tmdb, client: TmdbClient) -> None:
    tmdb.body = dict(SHOW)
    assert details_of(client, "tv").seasons == ()


@pytest.mark.parametrize(
    ("field", "invalid"),
    [
        ("genres", None),
        ("genres", "Action"),
        ("genres", [None, {}, "Action", {"name": None}, {"name": 5}, {"name": " "}]),
        ("runtime", None),
        ("runtime", 0),
        ("runtime", -5),
        ("runtime", "136"),
        ("runtime", 136.5),
        ("runtime", True),
        ("runtime", 10**9),
        ("backdrop_path", None),
        ("backdrop_path", ""),
        ("backdrop_path", {"url": "/w.jpg"}),
    ],
    ids=str,
)
def test_an_invalid_optional_field_of_a_title_is_absent(
    tmdb: Tmdb, client: TmdbClient, field: str, invalid: Any
) -> None:
    tmdb.body = changed(MOVIE, **{field: invalid})
    title = details_of(client)
    assert title == TitleDetails("movie", 603, "The Matrix", 1999, "A hacker.", "/m.jpg")


@pytest.mark.parametrize(
    ("field", "invalid"),
    [
        ("name", None),
        ("name", 1),
        ("name", "   "),
        ("name", "\0"),
        ("episode_count", "7"),
        ("episode_count", -1),
        ("episode_count", 10**6),
        ("air_date", ""),
        ("air_date", 2008),
        ("air_date", "soon"),
        ("air_date", "2008"),
        ("air_date", "2008-13-01"),
        ("air_date", "2008-02-30"),
        ("air_date", "20080120"),
        ("air_date", "2008-W03-7"),
        ("air_date", "2008-01-20T00:00:00Z"),
        ("air_date", " 2008-01-20"),
    ],
    ids=str,
)
def test_an_invalid_optional_field_of_a_season_is_absent(
    tmdb: Tmdb, client: TmdbClient, field: str, invalid: Any
) -> None:
    tmdb.body = SHOW | {"seasons": [{"season_number": 1, field: invalid}]}
    assert details_of(client, "tv").seasons == (Season(1),)


@pytest.mark.parametrize("seasons", [None, "x", 5, {}, [], ABSENT], ids=repr)
def test_seasons_are_empty_unless_they_are_a_list(
    tmdb: Tmdb, client: TmdbClient, seasons: Any
) -> None:
    tmdb.body = changed(SHOW, seasons=seasons)
    assert details_of(client, "tv").seasons == ()


@pytest.mark.parametrize(
    "invalid",
    [
        1,
        None,
        "x",
        [],
        {},
        {"season_number": "1"},
        {"season_number": -1},
        {"season_number": 10_000},
        {"season_number": None, "name": "Season 9"},
        {"season_number": True},
    ],
    ids=str,
)
def test_only_the_invalid_season_is_dropped(tmdb: Tmdb, client: TmdbClient, invalid: Any) -> None:
    tmdb.body = SHOW | {"seasons": [invalid, {"season_number": 1}, invalid, {"season_number": 2}]}
    assert details_of(client, "tv").seasons == (Season(1), Season(2))


def test_a_title_with_nul_is_cleaned_or_catalog_unavailable(tmdb: Tmdb, client: TmdbClient) -> None:
    # PostgreSQL stores no NUL, so the invalid text would become a 500.
    tmdb.body = changed(MOVIE, title="The \0Matrix")
    try:
        title = details_of(client)
    except AppError as error:
        assert error.code == ErrorCode.CATALOG_UNAVAILABLE
    else:
        assert "\0" not in title.title


def test_a_text_with_lone_surrogates_is_not_returned(tmdb: Tmdb, client: TmdbClient) -> None:
    # JSON can escape a lone surrogate, but UTF-8 cannot encode it, so it would become a 500.
    tmdb.set_results(changed(MOVIE, overview="\ud800", poster_path="/\udfff.jpg"), SHOW)
    titles = titles_of(client)
    assert titles[-1].tmdb_id == 1396
    for title in titles:
        assert f"{title.title}{title.overview}{title.poster_path}".encode()


class TestLanguage:
    """Each field that TMDB lacks in the configured language is returned in English."""

    GERMAN: ClassVar[dict[str, Any]] = {
        "iso_639_1": "de",
        "iso_3166_1": "DE",
        "data": {"title": "Die Matrix", "overview": "Ein Hacker."},
    }
    ENGLISH: ClassVar[dict[str, Any]] = {
        "iso_639_1": "en",
        "iso_3166_1": "US",
        "data": {"title": "Spirited Away", "name": "Spirited Away", "overview": "A girl."},
    }
    BRITISH: ClassVar[dict[str, Any]] = changed(
        ENGLISH, iso_3166_1="GB", data={"title": "X", "name": "X", "overview": "X."}
    )

    @pytest.fixture
    def client(self, cache: MemoryCache) -> TmdbClient:
        return TmdbClient(
            Environment(
                tmdb_api_key=SecretStr(V3_KEY),
                tmdb_api_url="https://tmdb.example.org/3",
                tmdb_language="de-DE",
            ),
            cache,
        )

    def body(self, **changes: Any) -> dict[str, Any]:
        untranslated = {
            "id": 603,
            "title": "Sen",
            "original_title": "Sen",
            "name": "Sen",
            "original_name": "Sen",
            "original_language": "ja",
            "overview": "",
            "poster_path": None,
            "translations": {"translations": [self.BRITISH, self.ENGLISH]},
            "images": {
                "posters": [
                    {"file_path": "/plain.jpg", "iso_639_1": None},
                    {"file_path": "/en.jpg", "iso_639_1": "en"},
                ]
            },
        }
        return changed(untranslated, **changes)

    @pytest.mark.parametrize("media_type", ["movie", "tv"])
    def test_a_title_without_translation_is_in_english(
        self, tmdb: Tmdb, client: TmdbClient, media_type: Any
    ) -> None:
        tmdb.body = self.body(id={"movie": 603, "tv": 1396}[media_type])
        title = details_of(client, media_type)
        assert (title.title, title.overview, title.poster_path) == (
            "Spirited Away",
            "A girl.",
            "/en.jpg",
        )
        (call,) = tmdb.calls
        assert call[3]["append_to_response"] == "translations,images"
        assert call[3]["include_image_language"] == "en,null"

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"title": "Chihiro"}, ("Chihiro", "A girl.", "/en.jpg")),
            ({"overview": "Ein M\u00e4dchen."}, ("Spirited Away", "Ein M\u00e4dchen.", "/en.jpg")),
            ({"poster_path": "/de.jpg"}, ("Spirited Away", "A girl.", "/de.jpg")),
            ({"original_language": "de"}, ("Sen", "A girl.", "/en.jpg")),
            ({"title": None, "original_title": None}, ("Spirited Away", "A girl.", "/en.jpg")),
            (
                {"images": {"posters": [{"file_path": "/x.jpg"}]}},
                ("Spirited Away", "A girl.", "/x.jpg"),
            ),
        ],
        ids=str,
    )
    def test_each_field_falls_back_to_english_separately(
        self,
        tmdb: Tmdb,
        client: TmdbClient,
        changes: dict[str, Any],
        expected: tuple[str, str, str],
    ) -> None:
        tmdb.body = self.body(**changes)
        title = details_of(client)
        assert (title.title, title.overview, title.poster_path) == expected

    def test_a_translation_equal_to_the_original_title_is_used(
        self, tmdb: Tmdb, client: TmdbClient
    ) -> None:
        german = changed(self.GERMAN, data={"title": "Sen", "overview": None})
        tmdb.body = self.body(translations={"translations": [self.ENGLISH, german]})
        assert details_of(client).title == "Sen"

    def test_an_original_title_in_english_needs_no_translation(
        self, tmdb: Tmdb, client: TmdbClient
    ) -> None:
        english = changed(self.ENGLISH, data={"title": "", "overview": "A girl."})
        tmdb.body = self.body(original_language="en", translations={"translations": [english]})
        assert details_of(client).title == "Sen"

    @pytest.mark.parametrize(
        "invalid",
        [None, 5, "x", [], {}, {"translations": None}, {"translations": [None, {}, 5]}],
        ids=str,
    )
    def test_invalid_translations_and_pictures_are_ignored(
        self, tmdb: Tmdb, client: TmdbClient, invalid: Any
    ) -> None:
        tmdb.body = self.body(translations=invalid, images=invalid)
        title = details_of(client)
        assert (title.title, title.overview, title.poster_path) == ("Sen", None, None)

    def test_only_the_invalid_translation_is_dropped(self, tmdb: Tmdb, client: TmdbClient) -> None:
        invalid = changed(self.ENGLISH, data=None)
        tmdb.body = self.body(translations={"translations": [invalid, None, self.ENGLISH]})
        assert details_of(client).title == "Spirited Away"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


_EXTRA = ("original_title", "original_name", "translations", "images", "original_language")


_FIELDS = st.sampled_from(sorted({*MOVIE, *SHOW, *_EXTRA}))


@given(items=st.lists(st.dictionaries(_FIELDS, _JSON) | _JSON, max_size=5))
def test_any_items_give_titles_or_catalog_unavailable(items: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        tmdb = Tmdb()
        patched.setattr(http, "request_json", tmdb)
        tmdb.set_results(MOVIE, *items)
        titles = titles_of(client_of(V3_KEY, MemoryCache()))
    assert titles[0].tmdb_id == 603
    for title in titles:
        assert 0 < title.tmdb_id < 2**31
        assert title.title
        assert f"{title.title}{title.overview}{title.poster_path}".encode()


@given(
    body=st.dictionaries(
        st.sampled_from([*MOVIE, *SHOW, *_EXTRA, "genres", "runtime", "seasons"]), _JSON
    )
)
def test_any_details_give_a_title_or_catalog_unavailable(body: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        tmdb = Tmdb()
        patched.setattr(http, "request_json", tmdb)
        for media_type, sample in (("movie", MOVIE), ("tv", SHOW)):
            tmdb.body = sample | body
            cache = MemoryCache()
            try:
                title = details_of(client_of(V3_KEY, cache), media_type)
            except AppError as error:
                assert error.code == ErrorCode.CATALOG_UNAVAILABLE
                assert cache.stored == {}
                continue
            assert f"{title.title}{title.overview}{title.genres}{title.seasons}".encode()
            assert details_of(client_of(V3_KEY, cache), media_type) == title, (
                "the cached details differ"
            )
