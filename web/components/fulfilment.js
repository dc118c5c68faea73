import { relative, t } from "../i18n.js";
import { html } from "../vendor/modules.js";

/** @typedef {import("../api.js").Schemas["AdminFulfilment"]} Fulfilment */

/** The reasons of a failure that the page has a text for. */
const REASONS = ["TITLE_UNKNOWN", "TITLE_REMOVED", "SEASON_UNKNOWN", "TVDB_ID_UNKNOWN", "REMOVED_ON_SERVER"];

/**
 * Return what became of an approved request, as a sentence.
 *
 * @param {Fulfilment} fulfilment
 */
export function fulfilmentText({ state, since }) {
  return t(`fulfilment.${state}`, { when: since ? relative(since) : "" });
}

/**
 * Why a server has not got the title, in the page's language where it has a text for the reason.
 *
 * @param {{fulfilment: Fulfilment}} props
 */
export function FulfilmentProblem({ fulfilment: { error } }) {
  if (!error) {
    return null;
  }
  const reason = REASONS.includes(error.code) ? t(`fulfilment.reason.${error.code}`) : error.message;
  return html`<p class="quote reason">${reason}${error.retryAt ? ` ${t("fulfilment.retry", { when: relative(error.retryAt) })}` : ""}</p>`;
}
