import { relative, t } from "../i18n.js";
import { html } from "../vendor/modules.js";

/** @typedef {import("../api.js").Schemas["AdminFulfilment"]} Fulfilment */

/** The reasons that tell a requester something; of the others, one text says that an admin has to act. */
const REASONS = ["TITLE_UNKNOWN", "TITLE_REMOVED", "SEASON_UNKNOWN", "TVDB_ID_UNKNOWN", "REMOVED_ON_SERVER", "JOB_CANCELLED"];

/**
 * Return what became of an approved request, as a sentence.
 *
 * @param {Fulfilment} fulfilment
 */
export function fulfilmentText({ state, since }) {
  return t(`fulfilment.${state}`, { when: since ? relative(since) : "" });
}

/**
 * Why a server has not got the title.
 *
 * @param {{fulfilment: Fulfilment, text?: (error: {code: string, message: string}) => string}} props `text`
 *   says it to admins
 */
export function FulfilmentProblem({ fulfilment: { error }, text = reasonText }) {
  return error
    ? html`<p class="quote reason">${text(error)}${error.retryAt ? ` ${t("fulfilment.retry", { when: relative(error.retryAt) })}` : ""}</p>`
    : null;
}

/** @param {{code: string}} error */
function reasonText({ code }) {
  return t(`fulfilment.reason.${REASONS.includes(code) ? code : "other"}`);
}
