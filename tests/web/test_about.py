"""/about: version, licences and sources, for everyone who is signed in."""

from playwright.sync_api import expect

from medianest import VERSION
from tests.support.api import ROOT
from tests.web.conftest import Browse

TMDB = "This product uses the TMDB API but is not endorsed or certified by TMDB."


def test_about_is_reached_from_the_profile_and_its_links_lead_somewhere(browse: Browse) -> None:
    tab = browse("bob")
    tab.follow("/profile")
    tab.page.get_by_role("link", name="About MediaNest").click()
    tab.page.wait_for_url("**/about")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("About MediaNest")
    expect(tab.page.get_by_text(f"Version {VERSION}")).to_be_visible()
    expect(tab.page.get_by_text(TMDB)).to_be_visible()
    logo = tab.page.get_by_role("img", name="The Movie Database")
    expect(logo).to_be_visible()
    assert logo.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    texts = {"Read it": "MIT License", "Read their licences": "preact", "Read about the API": "API"}
    for name, text in texts.items():
        address = tab.page.get_by_role("link", name=name, exact=True).get_attribute("href") or ""
        answer = tab.page.request.get(tab.watch.origin + address)
        assert answer.ok
        assert text in answer.text()


def test_the_page_has_the_licence_of_the_project() -> None:
    assert (ROOT / "web/LICENSE.txt").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_an_unknown_version_in_german(browse: Browse) -> None:
    tab = browse("bob", language="de-DE")
    with tab.answer("/api/health", 503, "DATABASE_CONNECTION_ERROR"):
        tab.follow("/about")
        expect(tab.page.get_by_role("button", name="Noch einmal versuchen")).to_be_visible()
    expect(tab.page.get_by_text(TMDB)).to_be_visible()
    expect(tab.page.get_by_role("heading", name="Lizenzen")).to_be_visible()
