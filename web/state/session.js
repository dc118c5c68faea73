/**
 * The signed-in user, and what the sign-in page may offer.
 */
import { call } from "../api.js";
import { navigate } from "../router.js";
import { batch, signal } from "../vendor/modules.js";

/**
 * @typedef {import("../api.js").Schemas["User"]} User
 * @typedef {import("../api.js").Schemas["SignInOptions"]} SignInOptions
 */

/** The user; null when nobody is signed in. @type {import("../vendor/modules.js").Signal<User | null>} */
export const user = signal(/** @type {User | null} */ (null));
/** @type {import("../vendor/modules.js").Signal<SignInOptions | null>} */
export const options = signal(/** @type {SignInOptions | null} */ (null));
/** Whether a session ended while the page was open. */
export const isExpired = signal(false);
// Other tabs hear of a sign-in or sign-out by this key of the storage.
const CHANGED = "medianest.session";
const SIGNED_IN = "medianest.signedIn";

let token = "";

/** Return the value of X-CSRF-Token, or "". */
export function csrfToken() {
  return token;
}

/** Whether this browser probably has a session: a guess, before the service tells. */
export function wasSignedIn() {
  try {
    return localStorage.getItem(SIGNED_IN) === "yes";
  } catch {
    return false;
  }
}

/** Read the session again; throws ApiError when the service cannot tell. */
export async function reload() {
  const { data } = await call("GET", "/auth/session", { anonymous: true });
  accept(/** @type {{user?: User, csrfToken?: string}} */ (data));
}

/** Read what the sign-in page may offer. */
export async function loadOptions() {
  const { data } = await call("GET", "/auth/options", { anonymous: true });
  options.value = /** @type {SignInOptions} */ (data);
}

/**
 * Take over a session that a sign-in began.
 *
 * @param {{user?: User, csrfToken?: string}} session
 */
export function begin(session) {
  accept(session);
  announce();
}

/** Forget the session after the service refused it. */
export function expire() {
  batch(() => {
    // Several calls may be refused at once.
    isExpired.value = isExpired.value || user.value !== null;
    user.value = null;
  });
  token = "";
}

/**
 * End the session, or all sessions of the user.
 *
 * @param {boolean} everywhere
 */
export async function signOut(everywhere) {
  await call("POST", "/auth/logout", { body: { allSessions: everywhere } });
  // Both at once, so that the next sign-in does not return to this page.
  batch(() => {
    user.value = null;
    // A call that was refused meanwhile is no surprise.
    isExpired.value = false;
    navigate("/signin");
  });
  token = "";
  announce();
}

/** Follow sign-ins and sign-outs of other tabs. Call it once. */
export function watchTabs() {
  addEventListener("storage", (event) => {
    if (event.key === CHANGED) {
      // A failure shows itself at the next call of this tab.
      reload().catch(() => undefined);
    }
  });
}

/** @param {{user?: User, csrfToken?: string}} session */
function accept(session) {
  batch(() => {
    user.value = session.user ?? null;
    isExpired.value = isExpired.value && !session.user;
  });
  token = session.csrfToken ?? "";
  try {
    localStorage.setItem(SIGNED_IN, session.user ? "yes" : "no");
  } catch {
    // Storage is off: each start guesses that nobody is signed in.
  }
}

function announce() {
  try {
    localStorage.setItem(CHANGED, String(Date.now()));
  } catch {
    // Storage is off: other tabs notice at their next call.
  }
}
