"""Run axe-core on a page, and describe its findings that a person with a disability would meet."""

from typing import Any

from playwright.sync_api import Page

from tests.support.api import ROOT

_SOURCE = (ROOT / "tests/web/vendor/axe.min.js").read_text(encoding="utf-8")
# The rules of landmarks are of less weight, but take a tenth of the time.
_RUN = """async () => {
  const light = axe.getRules().map(({ ruleId }) => ruleId)
    .filter((name) => /^(region|landmark-)/.test(name));
  const rules = Object.fromEntries(light.map((name) => [name, { enabled: false }]));
  const { violations } = await axe.run(
    document, { resultTypes: ["violations"], preload: false, rules });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => [id, help, nodes.map(({ target }) => target.join(" "))]);
}"""


def findings(page: Page) -> list[str]:
    """Return the findings of weight serious or critical in the page as it is."""
    if not page.evaluate("() => typeof axe === 'object'"):
        # Scripts of the developer tools are exempt from the page's content security policy.
        page.evaluate(_SOURCE)
    found: list[Any] = page.evaluate(_RUN)
    return [f"axe {name}: {text} ({', '.join(places)})" for name, text, places in found]
