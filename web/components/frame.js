import { ApiError, asApiError } from "../api.js";
import { t } from "../i18n.js";
import { place } from "../router.js";
import { options, user } from "../state/session.js";
import { html, signal, useEffect, useErrorBoundary, useRef, useState } from "../vendor/modules.js";
import { Failure } from "./failure.js";
import { Icon, Logo } from "./icon.js";

/** @typedef {[RegExp, () => Promise<any>][]} Routes */

/** @type {[string, string, string][]} */
const LINKS = [
  ["/", "compass", "nav.home"],
  ["/search", "search", "nav.search"],
  ["/requests", "ticket", "nav.requests"],
];
const QUEUE = "/admin/requests";
const notFound = () => import("../pages/not-found.js").then((module) => module.NotFoundPage);
/** @type {Map<() => Promise<any>, any>} */
const loaded = new Map();

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
          ${user.value?.role === "admin" ? html`<${AdminLinks} />` : null}
          <li class="phone"><a href="/profile" aria-current=${current("/profile")}><${Icon} name="user" /><span>${t("nav.profile")}</span></a></li>
        </ul>
        <a class="who" href="/profile" aria-current=${current("/profile")}><span class="face" aria-hidden="true">${initial(name)}</span><span class="vh">${t("nav.profile")}: </span><b>${name}</b></a>
      </nav>
      <${Offline} />
      <main id="main" tabindex="-1">${children}</main>
    </div>`;
}

/** The ways to the administration; the number of waiting requests comes later. */
function AdminLinks() {
  const [Count, setCount] = useState(/** @type {any} */ (null));
  useEffect(() => {
    // Without it, the link still leads to the queue.
    import("./admin/queue-count.js").then((module) => setCount(() => module.QueueCount), () => undefined);
  }, []);
  const isQueue = current(QUEUE);
  return html`
    <li><a href=${QUEUE} aria-current=${isQueue}><${Icon} name="inbox" /><span>${t("nav.queue")}</span>${Count ? html`<${Count} />` : null}</a></li>
    <li class="desktop"><a href="/admin" aria-current=${isQueue ? undefined : current("/admin")}><${Icon} name="settings-2" /><span>${t("nav.admin")}</span></a></li>`;
}

/**
 * Return the loader of the page of a path, and the groups of its pattern.
 *
 * @param {Routes} routes
 * @param {string} path
 */
export function find(routes, path) {
  for (const [pattern, load] of routes) {
    const match = pattern.exec(path);
    if (match) {
      return { load, parameters: { ...match.groups } };
    }
  }
  return { load: notFound, parameters: {} };
}

/** @param {() => Promise<any>} load */
export async function fetchPage(load) {
  if (!loaded.has(load)) {
    loaded.set(load, await load());
  }
}

/**
 * A page, once its module has arrived. One that cannot show what the service answered fails alone: the
 * navigation stays, and leads on.
 *
 * @param {{load: () => Promise<any>, [parameter: string]: any}} props
 */
export function Page({ load, ...parameters }) {
  const [, setArrived] = useState(/** @type {unknown} */ (undefined));
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const brokenAt = useRef("");
  const [broken] = useErrorBoundary((caught) => {
    console.error(caught);
    brokenAt.current = place.value.key;
  });
  const isBroken = broken !== undefined && brokenAt.current === place.value.key;
  const page = loaded.get(load);
  useEffect(() => {
    setError(undefined);
    if (!loaded.has(load)) {
      fetchPage(load).then(() => setArrived(load), () => setError(new ApiError("PAGE_ERROR", "The page could not be loaded.")));
    }
  }, [load]);
  if (page && !isBroken) {
    return html`<${page} ...${parameters} />`;
  }
  const failure = isBroken ? asApiError(broken) : error;
  // A later try of the same import fails as the first one did, so only a reload helps.
  return failure ? html`<${Heading} hidden>${t("failure.error")}<//><${Failure} error=${failure} retry=${() => location.reload()} />` : null;
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
