/**
 * Typed text that has not been sent: it survives a reload and a sign-in in between.
 */
import { useState } from "../vendor/modules.js";
import { user } from "./session.js";

const PREFIX = "medianest.draft:";

/**
 * @template T
 * @param {string} name
 * @returns {T | null}
 */
export function readDraft(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name) ?? "null");
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 */
export function writeDraft(name, value) {
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Storage is off or full: the text lives as long as the page.
  }
}

/**
 * A state that is a draft as well: it begins as the draft, else as `initial`.
 *
 * @template T
 * @param {string} name
 * @param {T} initial
 * @returns {[T, (value: T) => void, () => void]} The value; its setter; a function that drops the draft
 */
export function useDraft(name, initial) {
  const [value, setValue] = useState(() => /** @type {T} */ (readDraft(name) ?? initial));
  return [
    value,
    (next) => {
      writeDraft(name, next);
      setValue(next);
    },
    () => dropDraft(name),
  ];
}

/**
 * Drop the drafts of another user: the browser may be shared.
 *
 * @param {import("./session.js").User | null} owner
 */
function claim(owner) {
  if (!owner || readDraft("owner") === owner.id) {
    return;
  }
  try {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith(PREFIX)) {
        sessionStorage.removeItem(name);
      }
    }
  } catch {
    // Storage is off, so there are no drafts.
  }
  writeDraft("owner", owner.id);
}

/** @param {string} name */
export function dropDraft(name) {
  try {
    sessionStorage.removeItem(PREFIX + name);
  } catch {
    // Storage is off, so there is nothing to remove.
  }
}

user.subscribe(claim);
