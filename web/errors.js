/**
 * Errors in the language of the page.
 */
import { has, t } from "./i18n.js";

/**
 * Return the text of an error by its code; a code without a text has the message of the API.
 *
 * @param {import("./api.js").ApiError} error
 */
export function errorText(error) {
  const key = `error.${error.code}`;
  return has(key) ? t(key) : error.message;
}
