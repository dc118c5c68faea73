"""Run axe-core on a page, and describe its findings that a person with a disability would meet."""

from typing import Any

from playwright.sync_api import Page

from tests.support.api import ROOT

_FILE = ROOT / "tests/web/vendor/axe.min.js"
# Of ASCII alone, the browser keeps and reads half as many bytes.
_SOURCE = _FILE.read_text(encoding="utf-8").encode("ascii", "backslashreplace").decode()
# Describe the page without its words and places, and find what repeats: each element by its tag,
# its attributes, its states and the different elements within it.
_SHAPE = """() => {
  const words = /^(alt|aria-label|content|d|datetime|href|id|name|placeholder|src|title|value)$/;
  const references = /^(for|aria-(labelledby|describedby|controls))$/;
  const exists = (value) => value.split(" ").every((id) => document.getElementById(id) !== null);
  const states = [":checked", ":disabled", ":focus", ":hover", ":placeholder-shown"];
  const repeated = [];
  const describe = (element) => {
    const parts = [element.localName, ...states.filter((state) => element.matches(state))];
    for (const { name, value } of element.attributes) {
      const isWords = words.test(name);
      const kept = references.test(name) ? exists(value) : isWords ? value !== "" : value;
      parts.push(`${name}=${kept}`);
    }
    parts.push(Array.from(element.childNodes).some(({ nodeType, data }) =>
      nodeType === Node.TEXT_NODE && data.trim() !== ""));
    const inner = new Set();
    for (const child of element.children) {
      const shape = describe(child);
      if (inner.has(shape)) repeated.push(child);
      inner.add(shape);
    }
    return `<${parts.join(" ")}>${Array.from(inner).join("")}</>`;
  };
  const shape = describe(document.documentElement);
  window.repeated = repeated;
  const media = ["(prefers-color-scheme: light)", "(forced-colors: active)"];
  return `${innerWidth} ${media.map((each) => matchMedia(each).matches)} ${shape}`;
}"""
# The rules of landmarks are of less weight, but take a tenth of the time.
_RUN = """async () => {
  const light = axe.getRules().map(({ ruleId }) => ruleId)
    .filter((name) => /^(region|landmark-)/.test(name));
  const rules = Object.fromEntries(light.map((name) => [name, { enabled: false }]));
  const { violations } = await axe.run(
    { include: [document], exclude: window.repeated },
    { resultTypes: ["violations"], preload: false, rules });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => [id, help, nodes.map(({ target }) => target.join(" "))]);
}"""
_clean: set[str] = set()


def findings(page: Page) -> list[str]:
    """Return the findings of weight serious or critical in the page as it is.

    Of elements that differ in their words alone, such as the cards of a list, it checks the first,
    and a page that differs so from one without findings not at all.
    """
    shape: str = page.evaluate(_SHAPE)
    if shape in _clean:
        return []
    if not page.evaluate("() => typeof axe === 'object'"):
        # Scripts of the developer tools are exempt from the page's content security policy.
        page.evaluate(_SOURCE)
    # Of a page that changes meanwhile, axe may find what was in no state of it.
    found: list[Any] = page.evaluate(_RUN) and page.evaluate(_RUN)
    if not found:
        _clean.add(shape)
    return [f"axe {name}: {text} ({', '.join(places)})" for name, text, places in found]
