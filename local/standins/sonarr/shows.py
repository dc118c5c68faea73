"""A show of the stand-in for Sonarr: seasons, episodes, files, and how they are monitored."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local.standins.arr import Resource, slug_of, timestamp
from local.standins.tmdb.catalogue import Title
from local.standins.tmdb.details import GENRES

FILE_BYTES = 2_000_000_000


@dataclass
class Episode:
    """An episode."""

    id: int
    season: int
    number: int
    is_monitored: bool
    has_file: bool = False


@dataclass
class Show:
    """A show that was added; `fields` are those of its resource, without statistics."""

    fields: Resource
    episodes: list[Episode] = field(default_factory=list)

    def set_season(self, season: int, *, is_monitored: bool) -> None:
        """Monitor the episodes of a season, or stop that."""
        for each in self.episodes:
            if each.season == season:
                each.is_monitored = is_monitored

    def replace_seasons(self, seasons: list[Resource]) -> None:
        """Take over seasons; the episodes follow only a flag that changes."""
        before = {each["seasonNumber"]: each["monitored"] for each in self.fields["seasons"]}
        for each in seasons:
            number, is_monitored = each["seasonNumber"], bool(each.get("monitored"))
            if number in before and before[number] != is_monitored:
                self.set_season(number, is_monitored=is_monitored)
        self.fields["seasons"] = clean_seasons(seasons)

    def refresh(self, title: Title, first_id: int) -> None:
        """Create the episodes, and apply the options of the add, as the first refresh does.

        `ignoreEpisodesWithFiles` has no effect on a show without files. A season that is not the
        last one and has no monitored episode loses its flag.
        """
        monitored = {each["seasonNumber"] for each in self.fields["seasons"] if each["monitored"]}
        for season, episodes in sorted(title.seasons.items()):
            for number in range(1, episodes + 1):
                id_ = first_id + len(self.episodes)
                self.episodes.append(Episode(id_, season, number, season in monitored))
        last = max((each["seasonNumber"] for each in self.fields["seasons"]), default=0)
        for each in self.fields["seasons"]:
            number = each["seasonNumber"]
            if number < last and not any(e.is_monitored for e in self.of_season(number)):
                each["monitored"] = False

    def of_season(self, season: int) -> Iterator[Episode]:
        """Yield the episodes of a season."""
        return (each for each in self.episodes if each.season == season)

    def resource(self) -> Resource:
        """Return the show as Sonarr does, with the statistics of its files."""
        seasons = [
            {**each, "statistics": statistics(list(self.of_season(each["seasonNumber"])))}
            for each in self.fields["seasons"]
        ]
        total = statistics(self.episodes) | {"seasonCount": len(seasons)}
        return {**self.fields, "seasons": seasons, "statistics": total}


def statistics(episodes: list[Episode]) -> Resource:
    """Count episodes: `episodeCount` has those that are monitored or have a file."""
    files = sum(each.has_file for each in episodes)
    wanted = sum(each.is_monitored or each.has_file for each in episodes)
    return {
        "episodeFileCount": files,
        "episodeCount": wanted,
        "totalEpisodeCount": len(episodes),
        "sizeOnDisk": files * FILE_BYTES,
        "releaseGroups": [],
        "percentOfEpisodes": 100.0 * files / wanted if wanted else 0.0,
    }


def clean_seasons(seasons: list[Resource]) -> list[Resource]:
    """Return the fields of seasons that Sonarr keeps."""
    return [
        {"seasonNumber": each["seasonNumber"], "monitored": bool(each.get("monitored"))}
        for each in seasons
    ]


def describe(title: Title) -> Resource:
    """Return a show as Sonarr's source has it: every season but the specials is monitored."""
    return {
        "title": title.title,
        "alternateTitles": [],
        "sortTitle": title.title.lower(),
        "status": "continuing",
        "ended": False,
        "overview": title.overview,
        "network": "",
        "images": [],
        "originalLanguage": {"id": 1, "name": "English"},
        "seasons": [
            {"seasonNumber": number, "monitored": number > 0} for number in sorted(title.seasons)
        ],
        "year": int(title.date[:4] or 0),
        "runtime": 0,
        "tvdbId": title.tvdb,
        "tmdbId": title.id,
        "tvRageId": 0,
        "tvMazeId": 0,
        "firstAired": f"{title.date}T00:00:00Z" if title.date else None,
        "seriesType": "standard",
        "cleanTitle": slug_of(title.title).replace("-", ""),
        "imdbId": title.imdb,
        "titleSlug": slug_of(title.title) or str(title.tvdb),
        "genres": [GENRES[each] for each in title.genres],
        "useSceneNumbering": False,
        "ratings": {"votes": 0, "value": 0.0},
    }


def added(title: Title, id_: int, body: Resource) -> Resource:
    """Return the fields of a show that the body of an add makes of the source's."""
    root = (body.get("rootFolderPath") or "").rstrip("/")
    fields = describe(title)
    return {
        **fields,
        # Seasons that are sent replace those of the source.
        "seasons": clean_seasons(body.get("seasons") or fields["seasons"]),
        "path": body.get("path") or f"{root}/{title.title.replace('/', '+')}",
        "rootFolderPath": body.get("rootFolderPath") or "",
        "qualityProfileId": body.get("qualityProfileId") or 0,
        "languageProfileId": body.get("languageProfileId") or 1,
        "seasonFolder": bool(body.get("seasonFolder")),
        "monitored": bool(body.get("monitored")),
        "monitorNewItems": body.get("monitorNewItems") or "all",
        "seriesType": body.get("seriesType") or "standard",
        "tags": sorted(set(body.get("tags") or [])),
        "added": timestamp(),
        "id": id_,
    }


def describe_episode(show: Show, episode: Episode) -> Resource:
    """Return an episode as Sonarr does."""
    return {
        "id": episode.id,
        "seriesId": show.fields["id"],
        "tvdbId": 0,
        "episodeFileId": episode.id if episode.has_file else 0,
        "seasonNumber": episode.season,
        "episodeNumber": episode.number,
        "title": f"Episode {episode.number}",
        "airDate": show.fields["firstAired"] and show.fields["firstAired"][:10],
        "hasFile": episode.has_file,
        "monitored": episode.is_monitored,
        "lastSearchTime": datetime.now(UTC).isoformat() if episode.has_file else None,
    }
