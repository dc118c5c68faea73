"""Titles for Radarr and Sonarr, their state there, and the failures of calls."""

import re
from typing import Literal, NamedTuple

type ArrKind = Literal["radarr", "sonarr"]
type FailureClass = Literal["unreachable", "unsure", "misconfigured", "not_yet", "never"]

# The code of a 404 or 405.
NOT_THE_API = "NOT_THE_API"
_LABEL = re.compile("[a-z0-9-]+")


class ArrError(Exception):
    """A hand-over that failed; `cls` decides whether and when it is tried again.

    `unreachable`: the server is down or gives no usable response. `unsure`: a change may have
    happened or not, and the next run finds out by reading. `misconfigured`: an admin must correct
    the server's address, key or options. `not_yet`: the server does not know the title yet.
    `never`: no retry can help. The message has no secret; it can have a text of the server.
    """

    def __init__(
        self, cls: FailureClass, code: str, message: str, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.cls = cls
        self.code = code
        self.message = message
        self.retry_after = retry_after


class LeaseShortError(Exception):
    """`may_change` returned False: the next call that changes the server was not made."""


class Options(NamedTuple):
    """How a server files a title; a field of the other kind of server is ignored."""

    quality_profile_id: int
    root_folder_path: str
    tags: tuple[str, ...] = ()
    search: bool = True
    tag_requester: bool = False
    minimum_availability: Literal["announced", "inCinemas", "released"] = "released"
    series_type: Literal["standard", "daily", "anime"] = "standard"
    season_folder: bool = True
    monitor_new_items: Literal["all", "none"] = "none"


class MovieWanted(NamedTuple):
    """A requested film; `requesters` are names, which become tags if the options say so."""

    tmdb_id: int
    title: str
    requesters: tuple[str, ...] = ()


class ShowWanted(NamedTuple):
    """The requested seasons of a show; season 0 has the specials."""

    tmdb_id: int
    tvdb_id: int | None
    seasons: frozenset[int]
    title: str
    requesters: tuple[str, ...] = ()


class Found(NamedTuple):
    """A film on the server."""

    external_id: int
    title_slug: str | None
    has_file: bool
    is_monitored: bool = True


class FoundShow(NamedTuple):
    """A show on the server; each wanted season is in exactly one of the three sets.

    `downloaded` seasons have a file for every episode, `submitted` ones are monitored. `missing`
    ones are unknown to the server; `check` also counts those as missing that are not monitored.
    """

    external_id: int
    tvdb_id: int
    title_slug: str | None
    submitted: frozenset[int]
    downloaded: frozenset[int]
    missing: frozenset[int]


class Profile(NamedTuple):
    """A quality profile."""

    id: int
    name: str


class RootFolder(NamedTuple):
    """A folder for new titles; `free_bytes` is None if the server does not say."""

    path: str
    free_bytes: int | None
    accessible: bool


class Tag(NamedTuple):
    """A label of titles."""

    id: int
    label: str


class Inventory(NamedTuple):
    """The objects of a server that its options can refer to."""

    version: str
    profiles: tuple[Profile, ...]
    root_folders: tuple[RootFolder, ...]
    tags: tuple[Tag, ...]


def is_label(text: str) -> bool:
    """Return whether the servers accept a text as the label of a tag."""
    return _LABEL.fullmatch(text) is not None


def label_of(name: str) -> str | None:
    """Return the label for the name of a person, None if no character of it can be in one."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-") or None


def labels(options: Options, requesters: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels of a title, each once; raises ArrError for one that is invalid."""
    for label in options.tags:
        if not is_label(label):
            raise ArrError(
                "misconfigured", "TAG_INVALID", f"The tag {label!r} is not a valid label"
            )
    names = requesters if options.tag_requester else ()
    return tuple(dict.fromkeys([*options.tags, *filter(None, map(label_of, names))]))
