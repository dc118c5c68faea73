/**
 * A sign-in with Plex in progress. It is in the storage of the browser, because it survives the way
 * to Plex's page and back, a reload, and a change of the tab.
 */
import { ApiError, call } from "../api.js";
import { begin, reload, user } from "./session.js";

const STORED = "medianest.plex";
const POLL = 1000;

/**
 * @typedef {object} Pending
 * @property {string} pinId
 * @property {string} code
 * @property {string} authUrl
 * @property {string} expiresAt
 */

/** Return the sign-in in progress, if it has not expired. @returns {Pending | null} */
export function pending() {
  try {
    const value = JSON.parse(localStorage.getItem(STORED) ?? "null");
    return value && new Date(value.expiresAt).getTime() > Date.now() ? value : null;
  } catch {
    return null;
  }
}

/**
 * Return the sign-in in progress, or start one; throws ApiError.
 *
 * @returns {Promise<Pending>}
 */
export async function start() {
  const before = pending();
  if (before) {
    return before;
  }
  const { data } = await call("POST", "/auth/plex/pin", { body: {}, anonymous: true });
  const value = /** @type {Pending} */ (data);
  try {
    localStorage.setItem(STORED, JSON.stringify(value));
  } catch {
    // Storage is off: the sign-in works in a second tab while this one stays open.
  }
  return value;
}

/** Give up the sign-in in progress. */
export function cancel() {
  try {
    localStorage.removeItem(STORED);
  } catch {
    // Storage is off, so there is nothing to remove.
  }
}

/**
 * Return the page of Plex that approves a sign-in and comes back to this one.
 *
 * @param {Pending} signIn
 * @param {string} returnPath A path of this page
 */
export function plexUrl(signIn, returnPath) {
  return `${signIn.authUrl}&forwardUrl=${encodeURIComponent(location.origin + returnPath)}`;
}

/**
 * Ask once a second whether the sign-in was approved, while the tab is visible. It ends with the
 * session begun, or calls `onFailure` with the ApiError that ends the sign-in.
 *
 * @param {Pending} signIn
 * @param {(error: ApiError) => void} onFailure
 * @returns {() => void} Stops
 */
export function poll(signIn, onFailure) {
  let stopped = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const next = (/** @type {number} */ wait) => {
    if (!stopped) {
      timer = setTimeout(ask, wait);
    }
  };
  const ask = async () => {
    if (document.visibilityState === "hidden") {
      next(POLL);
      return;
    }
    try {
      const { data } = await call("POST", "/auth/plex/verify", { body: { pinId: signIn.pinId, session: "cookie" }, anonymous: true });
      cancel();
      begin(/** @type {any} */ (data));
    } catch (error) {
      await failed(error instanceof ApiError ? error : new ApiError("PAGE_ERROR", String(error)));
    }
  };
  const failed = async (/** @type {ApiError} */ error) => {
    if (error.code === "PIN_PENDING") {
      next(POLL);
    } else if (error.isUncertain || error.code === "RATE_LIMITED") {
      next(Math.max(error.retryAfter * 1000, 2 * POLL));
    } else {
      cancel();
      // Another tab of this browser may have finished the sign-in.
      await reload().catch(() => undefined);
      if (!stopped && user.value === null) {
        onFailure(error);
      }
    }
  };
  ask();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
