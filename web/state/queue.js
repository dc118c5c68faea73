/**
 * The number of requests that wait for a decision: read each minute and when the tab gets the
 * focus, never in a hidden tab.
 */
import { call } from "../api.js";
import { signal } from "../vendor/modules.js";
import { user } from "./session.js";

const PAUSE = 60_000;

/** @type {import("../vendor/modules.js").Signal<number | null>} */
export const waiting = signal(/** @type {number | null} */ (null));

/** Keep the number fresh. @returns {() => void} Stops */
export function refresh() {
  const read = () => {
    if (document.visibilityState === "visible") {
      // A failure leaves the last number; the page that one looks at tells of it.
      call("GET", "/admin/requests/counts").then(({ data }) => accept(/** @type {any} */ (data)), () => undefined);
    }
  };
  read();
  const timer = setInterval(read, PAUSE);
  addEventListener("focus", read);
  return () => {
    clearInterval(timer);
    removeEventListener("focus", read);
  };
}

/** @param {import("../api.js").Schemas["RequestCounts"]} counts */
export function accept({ pending }) {
  waiting.value = pending;
}

// Another user may sign in.
user.subscribe(() => {
  waiting.value = null;
});
