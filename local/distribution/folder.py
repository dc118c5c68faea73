"""The bucket of the page, with the current content of a folder."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from medianest.web_assets.release import (
    ASSETS,
    REVALIDATED,
    Release,
    WebFile,
    read_release,
    web_files,
)

type _State = tuple[tuple[str, int, int], ...]


class WebFolder:
    """The files of a folder; an edit is visible when the page loads again.

    A deployment keeps earlier releases. Here any version names the current files, so that a page
    that was open during an edit keeps working; a browser must not cache them under that version.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: _State | None = None
        self._release = Release("", {})

    def find(self, path: str) -> WebFile | None:
        """Return the file for the path of a URL, None if there is none."""
        key = unquote(path).removeprefix("/")
        # A version names the content of its files, so these need no look at the folder.
        if key.startswith(ASSETS) and key in self._release.files:
            return self._release.files[key]
        release = self._current()
        if key in release.files or not key.startswith(ASSETS):
            return release.files.get(key)
        _, _, name = key.removeprefix(ASSETS).partition("/")
        file = release.files.get(release.folder + name)
        return None if file is None else replace(file, cache_control=REVALIDATED)

    def _current(self) -> Release:
        """Return the release, read again if a file has changed."""
        stats = ((name, path.stat()) for name, path in web_files(self._folder))
        state = tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
        if state != self._state:
            self._release = read_release(self._folder)
            self._state = state
        return self._release
