/**
 * Short messages at the bottom of the page, which a screen reader reads out.
 */
import { signal } from "../vendor/preact.js";

const SHOWN = 6000;

/**
 * @typedef {object} Toast
 * @property {number} id
 * @property {string} text
 * @property {string} icon
 * @property {{label: string, run: () => void}} [action]
 */

/** @type {import("../vendor/preact.js").Signal<Toast[]>} */
export const toasts = signal(/** @type {Toast[]} */ ([]));
let lastId = 0;

/**
 * Show a message for six seconds; one with an action stays for twice as long.
 *
 * @param {string} text
 * @param {{icon?: string, action?: Toast["action"]}} [options]
 */
export function toast(text, { icon = "circle-check", action } = {}) {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value.slice(-2), { id, text, icon, ...(action ? { action } : {}) }];
  setTimeout(() => dismiss(id), action ? 2 * SHOWN : SHOWN);
}

/** @param {number} id */
export function dismiss(id) {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}
