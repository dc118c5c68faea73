import { t } from "../i18n.js";
import { place } from "../router.js";
import { options, user } from "../state/session.js";
import { html, signal, useEffect, useRef } from "../vendor/modules.js";
import { Icon, Logo } from "./icon.js";

/** @type {[string, string, string][]} */
const LINKS = [
  ["/", "compass", "nav.home"],
  ["/search", "search", "nav.search"],
  ["/requests", "ticket", "nav.requests"],
];

/**
 * Navigation around the page of a signed-in user.
 *
 * @param {{children: any}} props
 */
export function Frame({ children }) {
  const name = user.value?.username ?? "";
  return html`
    <a class="skip" href="#main" onClick=${skip}>${t("nav.skip")}</a>
    <div class="frame">
      <nav class="rail" aria-label=${t("nav.label")}>
        <a class="brand" href="/"><${Logo} /><span>${options.value?.name ?? "MediaNest"}</span></a>
        <ul>
          ${LINKS.map(([path, icon, key]) => html`<li key=${path}><a href=${path} aria-current=${current(path)}><${Icon} name=${icon} /><span>${t(key)}</span></a></li>`)}
          <li class="phone"><a href="/profile" aria-current=${current("/profile")}><${Icon} name="user" /><span>${t("nav.profile")}</span></a></li>
        </ul>
        <a class="who" href="/profile" aria-current=${current("/profile")}><span class="face" aria-hidden="true">${initial(name)}</span><span class="vh">${t("nav.profile")}: </span><b>${name}</b></a>
      </nav>
      <${Offline} />
      <main id="main" tabindex="-1">${children}</main>
    </div>`;
}

const isOnline = signal(navigator.onLine);
addEventListener("online", () => {
  isOnline.value = true;
});
addEventListener("offline", () => {
  isOnline.value = false;
});

/** The message of a lost network. */
export function Offline() {
  return html`<div role="status">${isOnline.value ? null : html`<p class="offline"><${Icon} name="wifi-off" />${t("offline.banner")}</p>`}</div>`;
}

/**
 * The heading of a page: it takes the focus after a navigation, and names the document.
 *
 * @param {{children: any, title?: string, hidden?: boolean}} props `title` where the heading is not text
 */
export function Heading({ children, title, hidden = false }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const { key } = place.value;
  const text = title ?? String(children);
  useEffect(() => {
    document.title = `${text} · ${options.value?.name ?? "MediaNest"}`;
  }, [text, options.value?.name]);
  useEffect(() => {
    // Not from an element that the user has moved to while the page loaded.
    if (focusedKey !== "" && (focusedKey !== key || document.activeElement === document.body)) {
      heading.current?.focus({ preventScroll: true });
    }
    focusedKey = key;
  }, [key]);
  return html`<h1 ref=${heading} tabindex="-1" class=${hidden ? "vh" : ""}>${children}</h1>`;
}

// The place whose heading had the focus; none yet when a document opens, which the browser announces.
let focusedKey = "";

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** @param {string} path */
function current(path) {
  return place.value.path === path || (path !== "/" && place.value.path.startsWith(`${path}/`)) ? "page" : undefined;
}

/** @param {string} name */
export function initial(name) {
  return (Array.from(name)[0] ?? "?").toUpperCase();
}
