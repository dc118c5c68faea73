"""The files of a release of the page: names, types, caching."""

from pathlib import Path

import pytest

from medianest.web_assets.release import Release, ReleaseError, read_release
from tests.support.api import ROOT


def write_page(folder: Path, **changed: str) -> Path:
    files = {
        "index.html": '<script type="module" src="/assets/VERSION/app.js"></script>',
        "app.js": 'import "./pages/home.js"; // /assets/VERSION/ stays here',
        "pages/home.js": "export {};",
        "manifest.webmanifest": '{"icons": [{"src": "/assets/VERSION/icons.svg"}]}',
        "icons.svg": "<svg/>",
    }
    for name, content in {**files, **changed}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def page(folder: Path, **changed: str) -> Release:
    return read_release(write_page(folder, **changed))


def test_files_are_below_their_version_and_index_at_the_root(tmp_path: Path) -> None:
    release = page(tmp_path)
    below = {key.removeprefix(release.folder) for key in release.files if key != "index.html"}
    assert below == {"app.js", "icons.svg", "manifest.webmanifest", "pages/home.js"}
    assert release.folder == f"assets/{release.version}/"


def test_index_and_manifest_name_the_version_and_scripts_stay_as_they_are(tmp_path: Path) -> None:
    release = page(tmp_path)
    for key in ("index.html", f"{release.folder}manifest.webmanifest"):
        assert f'"/{release.folder}'.encode() in release.files[key].content
        assert b"VERSION" not in release.files[key].content
    assert b"/assets/VERSION/ stays" in release.files[f"{release.folder}app.js"].content


def test_index_is_revalidated_and_assets_are_cached_for_a_year(tmp_path: Path) -> None:
    caching = {key: file.cache_control for key, file in page(tmp_path).files.items()}
    assert caching.pop("index.html") == "no-cache"
    assert set(caching.values()) == {"public, max-age=31536000, immutable"}


def test_same_files_have_the_same_version(tmp_path: Path) -> None:
    assert page(tmp_path / "a") == page(tmp_path / "b")


@pytest.mark.parametrize(
    ("name", "content"),
    [("app.js", "1"), ("index.html", "<p>"), ("new.css", ""), ("pages/home.js", "export {}")],
)
def test_any_change_makes_another_version(tmp_path: Path, name: str, content: str) -> None:
    before = page(tmp_path / "a").version
    assert page(tmp_path / "b", **{name: content}).version != before


def test_content_that_moves_between_files_makes_another_version(tmp_path: Path) -> None:
    one = page(tmp_path / "a", **{"a.css": "xy", "b.css": ""})
    other = page(tmp_path / "b", **{"a.css": "x", "b.css": "y"})
    assert one.version != other.version


@pytest.mark.parametrize(
    "name", ["types/api.d.ts", "README.md", ".hidden/a.js", ".app.js", "a.js.map", "LICENSE"]
)
def test_files_that_no_browser_needs_are_left_out(tmp_path: Path, name: str) -> None:
    assert page(tmp_path / "a", **{name: "x"}) == page(tmp_path / "b")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("a.json", "application/json"),
        ("manifest.webmanifest", "application/manifest+json"),
        ("a.png", "image/png"),
    ],
)
def test_type_follows_from_the_suffix(tmp_path: Path, name: str, content_type: str) -> None:
    release = page(tmp_path, **{name: "x"})
    assert release.files[release.folder + name].content_type == content_type


def test_folder_without_index_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no index"):
        read_release(tmp_path)


def test_page_of_the_project_refers_to_its_version_only() -> None:
    release = read_release(ROOT / "web")
    index = release.files["index.html"]
    assert index.content_type == "text/html; charset=utf-8"
    assert f"/{release.folder}app.js".encode() in index.content
    assert f"{release.folder}app.js" in release.files
