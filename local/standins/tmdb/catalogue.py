"""The titles and people of the stand-in, from catalogue.json."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

type MediaType = Literal["movie", "tv"]

CATALOGUE = Path(__file__).with_name("catalogue.json")
# A show without a TVDB id in the catalogue gets this plus its own id, unless its line has null.
INVENTED_TVDB = 90_000_000
ANIMATION = 16
ANIME_KEYWORD = 210024


@dataclass(frozen=True)
class Title:
    """A film, or a show with its seasons (number → episode count; season 0 is the specials)."""

    media_type: MediaType
    id: int
    title: str
    date: str = ""
    genres: tuple[int, ...] = ()
    original_title: str = ""
    language: str = "en"
    overview: str = ""
    popularity: float = 1.0
    runtime: int = 0
    poster: str | None = None
    backdrop: str | None = None
    seasons: dict[int, int] = field(default_factory=dict)
    imdb: str | None = None
    tvdb: int | None = None
    keywords: tuple[int, ...] = ()
    # By locale such as `de-DE`: `title` and `overview`, either of which may be missing.
    translations: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Star:
    """A person known from films; a `multi` search also finds people."""

    id: int
    name: str
    department: str
    known_for: tuple[int, ...]
    popularity: float = 5.0


@dataclass(frozen=True)
class Catalogue:
    """All titles and people."""

    titles: tuple[Title, ...]
    stars: tuple[Star, ...] = ()


def load_catalogue(path: Path = CATALOGUE) -> Catalogue:
    """Read the catalogue; the order in the file is the order of popularity."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    titles = [read_title("movie", rank, entry) for rank, entry in enumerate(raw["movies"])]
    titles += [read_title("tv", rank, entry) for rank, entry in enumerate(raw["shows"])]
    rank = len(raw["movies"]) + len(raw["shows"])
    titles += [read_upcoming(rank + number, entry) for number, entry in enumerate(raw["upcoming"])]
    stars = [Star(**{**entry, "known_for": tuple(entry["known_for"])}) for entry in raw["people"]]
    return Catalogue(tuple(titles), tuple(stars))


def read_upcoming(rank: int, entry: dict[str, Any]) -> Title:
    """Read one line of the titles that come out `days` days from now."""
    released = datetime.now(UTC).date() + timedelta(days=entry["days"])
    fields = {name: entry[name] for name in entry.keys() - {"days", "media_type"}}
    return read_title(entry["media_type"], rank, {**fields, "date": released.isoformat()})


def read_title(media_type: MediaType, rank: int, entry: dict[str, Any]) -> Title:
    """Read one line of the catalogue; what it lacks has a default, unless it says null."""
    seasons = entry.get("seasons", {})
    pictures = {kind: f"/{media_type}-{entry['id']}-{kind}.svg" for kind in ("poster", "backdrop")}
    defaults: dict[str, Any] = dict(pictures)
    if media_type == "tv":
        defaults["tvdb"] = INVENTED_TVDB + entry["id"]
    if entry.get("language") == "ja" and ANIMATION in entry["genres"]:
        defaults["keywords"] = (ANIME_KEYWORD,)
    return Title(
        **{
            **defaults,
            **entry,
            "media_type": media_type,
            "genres": tuple(entry["genres"]),
            "seasons": {int(number): episodes for number, episodes in seasons.items()},
            "popularity": round(1000 / (rank + 10), 3),
        }
    )
