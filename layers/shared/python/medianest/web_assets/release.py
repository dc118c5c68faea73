"""A release of the page: its files under a folder named after their content.

`make run` serves these objects, a deployment stores them in the bucket.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

INDEX = "index.html"
ASSETS = "assets/"
# index.html and the manifest refer to other files below this folder, all others relatively.
_PLACEHOLDER = b"/assets/VERSION/"
_WITH_PLACEHOLDER = {".html", ".webmanifest"}
# Other files, such as types and notes, are not published.
_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_FOR_EVER = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"


class ReleaseError(Exception):
    """The folder has no page."""


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file as it is served."""

    content: bytes
    content_type: str
    cache_control: str


@dataclass(frozen=True, slots=True)
class Release:
    """All files by their key, which is the path of their URL without the first slash."""

    version: str
    files: Mapping[str, WebFile]

    @property
    def folder(self) -> str:
        """Return the prefix of the keys of all files but index.html."""
        return f"{ASSETS}{self.version}/"


def web_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the relative path of each file to publish, in a fixed order."""
    names = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.suffix in _CONTENT_TYPES and path.is_file()
    }
    for name in sorted(names):
        if not any(part.startswith(".") for part in PurePosixPath(name).parts):
            yield name, names[name]


def read_release(folder: Path) -> Release:
    """Read the page in a folder; raises ReleaseError without an index.html."""
    contents = {name: path.read_bytes() for name, path in web_files(folder)}
    if INDEX not in contents:
        raise ReleaseError(f"the page has no {INDEX}")
    version = _version(contents)
    folder_url = f"/{ASSETS}{version}/".encode()
    files: dict[str, WebFile] = {}
    for name, content in contents.items():
        suffix = PurePosixPath(name).suffix
        is_index = name == INDEX
        files[name if is_index else f"{ASSETS}{version}/{name}"] = WebFile(
            content.replace(_PLACEHOLDER, folder_url) if suffix in _WITH_PLACEHOLDER else content,
            _CONTENT_TYPES[suffix],
            REVALIDATED if is_index else _FOR_EVER,
        )
    return Release(version, files)


def _version(contents: Mapping[str, bytes]) -> str:
    """Return a digest of all names and contents."""
    digest = sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
