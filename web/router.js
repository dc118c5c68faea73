/**
 * Navigation: the URL is the state. Links are ordinary links, which this module intercepts.
 */
import { signal, useEffect } from "./vendor/modules.js";

/**
 * @typedef {object} Place
 * @property {string} path
 * @property {URLSearchParams} query
 * @property {string} key Identifies the entry of the history
 * @property {"push" | "pop" | "replace"} by How the user got here
 */

const POSITIONS = "medianest.positions";
/** Positions that are kept; the oldest goes first. */
const MOST = 100;

/** @type {import("./vendor/modules.js").Signal<Place>} */
export const place = signal(read("pop"));
/** @type {Map<string, number>} */
const positions = readPositions();

/**
 * Go to a path of the page.
 *
 * @param {string} url With its query
 * @param {{replace?: boolean}} [options] `replace` keeps the entry of the history, its scroll
 *   position and the focus: for a query that changes while one types
 */
export function navigate(url, { replace = false } = {}) {
  if (replace) {
    history.replaceState(history.state, "", url);
    place.value = read("replace");
    return;
  }
  savePosition();
  history.pushState({ key: newKey(), isPushed: true }, "", url);
  place.value = read("push");
}

/**
 * Return the URL of a path with the parameters that have a value.
 *
 * @param {string} path
 * @param {Record<string, string | number | undefined>} parameters
 */
export function link(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") {
      query.set(name, String(value));
    }
  }
  return query.toString() ? `${path}?${query}` : path;
}

/** Return whether the step back leads to a page of ours, and not out of the site. */
export function hasPrevious() {
  return history.state?.isPushed === true;
}

/** Return the path and query of the current place. */
export function currentUrl() {
  return location.pathname + location.search;
}

/**
 * Return whether a text is a path of this page: `next` of the sign-in page comes from the URL.
 *
 * @param {string | null | undefined} url
 * @returns {url is string}
 */
export function isOwnPath(url) {
  return typeof url === "string" && /^\/(?![/\\])/.test(url) && new URL(url, location.origin).origin === location.origin;
}

/** Intercept links, and follow the buttons of the browser. Call it once. */
export function start() {
  history.scrollRestoration = "manual";
  if (!history.state?.key) {
    history.replaceState({ key: newKey() }, "", location.href);
    place.value = read("pop");
  }
  addEventListener("popstate", () => {
    savePosition();
    place.value = read("pop");
  });
  addEventListener("pagehide", () => {
    savePosition();
    writeSession(POSITIONS, JSON.stringify(Array.from(positions)));
  });
  document.addEventListener("click", follow);
}

/**
 * Scroll to the place that the user left, or to the top, once the page has its content.
 *
 * @param {boolean} ready
 */
export function useScroll(ready) {
  const { key, by } = place.value;
  useEffect(() => {
    if (ready && by !== "replace") {
      scrollTo(0, by === "pop" ? (positions.get(key) ?? 0) : 0);
    }
  }, [ready, key]);
}

/** @param {MouseEvent} event */
function follow(event) {
  const anchor = event.target instanceof Element ? event.target.closest("a") : null;
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!anchor || !isPlain || event.defaultPrevented || anchor.target || anchor.hasAttribute("download")) {
    return;
  }
  const url = new URL(anchor.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/") || (url.hash && url.pathname === location.pathname)) {
    return;
  }
  event.preventDefault();
  navigate(url.pathname + url.search);
}

/**
 * @param {Place["by"]} by
 * @returns {Place}
 */
function read(by) {
  return {
    path: location.pathname.length > 1 ? location.pathname.replace(/\/+$/, "") || "/" : "/",
    query: new URLSearchParams(location.search),
    key: history.state?.key ?? "",
    by,
  };
}

function savePosition() {
  const { key } = place.value;
  positions.delete(key);
  positions.set(key, scrollY);
  for (const oldest of Array.from(positions.keys()).slice(0, -MOST)) {
    positions.delete(oldest);
  }
}

/** @returns {Map<string, number>} */
function readPositions() {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(POSITIONS) ?? "[]"));
  } catch {
    // Storage is off, or holds something else: pages start at the top.
    return new Map();
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function writeSession(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // Storage is off or full: a reload starts at the top.
  }
}

function newKey() {
  return Math.random().toString(36).slice(2);
}
