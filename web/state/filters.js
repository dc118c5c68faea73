/**
 * The filters of a list, as the URL has them. The URL may be typed by hand, so anything else is the default.
 */
import { t } from "../i18n.js";

/**
 * Return the given choice, or the first one.
 *
 * @param {string[]} allowed
 * @param {string | null} given
 */
export function oneOf(allowed, given) {
  return given !== null && allowed.includes(given) ? given : /** @type {string} */ (allowed[0]);
}

/**
 * Return a choice as a filter of the API: "all" is none.
 *
 * @param {string} choice
 */
export function unlessAll(choice) {
  return choice === "all" ? undefined : choice;
}

/**
 * Return the number of pages of a list that are shown.
 *
 * @param {URLSearchParams} query
 * @param {number} most
 */
export function pagesOf(query, most) {
  return Math.min(Number.parseInt(query.get("page") ?? "1", 10) || 1, most);
}

/**
 * Return an id of a query.
 *
 * @param {URLSearchParams} query
 * @param {string} name
 */
export function idOf(query, name) {
  const given = query.get(name);
  return given !== null && /^[0-9a-f-]{36}$/.test(given) ? given : undefined;
}

/**
 * Return the choices of a filter, each with its text.
 *
 * @param {string} prefix Of the keys of the texts
 * @param {string[]} keys
 * @returns {[string, string][]}
 */
export function choices(prefix, keys) {
  return keys.map((key) => [key, t(`${prefix}.${key}`)]);
}
