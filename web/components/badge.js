import { t } from "../i18n.js";
import { html } from "../vendor/modules.js";
import { Icon } from "./icon.js";

const ICONS = { pending: "clock", approved: "check", declined: "x", partial: "tv", queued: "clock", submitted: "download", downloaded: "check", failed: "triangle-alert" };

/**
 * @typedef {object} Stated
 * @property {"pending" | "approved" | "declined"} status
 * @property {{requested: number, total?: number}} [seasons]
 * @property {"manual" | "queued" | "submitted" | "downloaded" | "failed" | undefined} [fulfilment] What became of an approved one
 */

/**
 * The state of a request: a word and an icon beside the colour.
 *
 * @param {{request: Stated}} props
 */
export function Badge({ request }) {
  const kind = request.seasons ? "partial" : stateOf(request);
  return html`<span class=${`badge ${kind}`}><${Icon} name=${ICONS[kind]} />${text(request)}</span>`;
}

/** @param {Stated} request */
function stateOf({ status, fulfilment }) {
  return status === "approved" && fulfilment && fulfilment !== "manual" ? fulfilment : status;
}

/** @param {Stated} request */
function text(request) {
  const { seasons } = request;
  if (!seasons) {
    return t(`status.${stateOf(request)}`);
  }
  return seasons.total === undefined
    ? t("status.seasons", { requested: seasons.requested })
    : t("status.partial", { requested: seasons.requested, total: seasons.total });
}
