"""Load a page without a cache on a slow machine and network, and weigh what it loads."""

import gzip
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, CDPSession, Response, StorageState

from tests.support.browser.tab import PHONE
from tests.support.browser.wait import wait_until

SLOWER, LATENCY_MS, MEGABITS = 4, 40, 10
_OBSERVE = """(wanted) => {
window.seen = { shift: 0 };
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.seen.shift += each.value;
}).observe({ type: "layout-shift", buffered: true });
const watch = () => {
  const ready = document.querySelector(wanted);
  if (ready && ready.getBoundingClientRect().height) window.seen.usable = performance.now();
  else requestAnimationFrame(watch);
};
watch();
}"""
# The element that makes a page usable; the heading comes with the content of the others.
_USABLE = {"signin": "main button", "home": "main li.card a"}
_HEADING = "h1"
# Answers of the API are no files of the page.
API = "api"


@dataclass
class Load:
    """One load: seconds, files and calls until it is usable, layout shift, bytes by kind."""

    usable: float = 0.0
    shift: float = 0.0
    requests: int = 0
    calls: int = 0
    bytes: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Return the bytes of all files, without posters and answers of the API."""
        return sum(size for kind, size in self.bytes.items() if kind != API)


def with_visit(state: StorageState, origin: str) -> StorageState:
    """Return the state of a browser that has visited the page with this session before."""
    return StorageState(
        cookies=state["cookies"],
        origins=[
            {
                "origin": origin,
                "localStorage": [{"name": "medianest.signedIn", "value": "yes"}],
            }
        ],
    )


def new_context(chrome: Browser, state: StorageState | None) -> BrowserContext:
    """Open an empty profile with the size of a phone."""
    return chrome.new_context(
        viewport={"width": PHONE.width, "height": PHONE.height},
        has_touch=True,
        is_mobile=True,
        locale="en-GB",
        color_scheme="dark",
        storage_state=state,
    )


def load(chrome: Browser, name: str, url: str, state: StorageState | None) -> Load:
    """Load a page without a cache, slowed down, and wait until it is still."""
    context = new_context(chrome, state)
    wanted = json.dumps(_USABLE.get(name, _HEADING))
    context.add_init_script(f"({_OBSERVE})({wanted})")
    page = context.new_page()
    _slow_down(context.new_cdp_session(page))
    responses: list[Response] = []

    def note(response: Response) -> None:
        responses.append(response)

    page.on("response", note)
    page.goto(url)
    wait_until(page, "() => window.seen.usable")
    page.wait_for_load_state("networkidle")
    seen = page.evaluate("() => ({ ...window.seen, origin: performance.timeOrigin })")
    loaded = Load(seen["usable"] / 1000, seen["shift"])
    usable_at = seen["origin"] + seen["usable"]
    for response in responses:
        _add(loaded, response, usable_at)
    context.close()
    return loaded


def _add(loaded: Load, response: Response, usable_at: float) -> None:
    path = urlsplit(response.url).path
    if path.startswith("/images/"):
        return
    is_before = response.request.timing["startTime"] <= usable_at
    kind = response.request.resource_type
    if path.startswith("/api/"):
        kind = API
        loaded.calls += is_before
    else:
        loaded.requests += is_before
    loaded.bytes[kind] = loaded.bytes.get(kind, 0) + _weight(response)


def _slow_down(session: CDPSession) -> None:
    bytes_per_second = MEGABITS * 1_000_000 / 8
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": bytes_per_second,
            "uploadThroughput": bytes_per_second,
        },
    )


def _weight(response: Response) -> int:
    body = response.body()
    # A font is compressed already.
    return len(body) if response.request.resource_type == "font" else len(gzip.compress(body, 6))
