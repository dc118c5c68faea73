import { t } from "../i18n.js";
import { html } from "../vendor/modules.js";
import { Icon } from "./icon.js";

const ICONS = { pending: "clock", approved: "check", declined: "x", partial: "tv" };

/**
 * The state of a request: a word and an icon beside the colour.
 *
 * @param {{request: {status: "pending" | "approved" | "declined", seasons?: {requested: number, total?: number}}}} props
 */
export function Badge({ request }) {
  const kind = request.seasons ? "partial" : request.status;
  return html`<span class=${`badge ${kind}`}><${Icon} name=${ICONS[kind]} />${text(request)}</span>`;
}

/** @param {{status: string, seasons?: {requested: number, total?: number}}} request */
function text({ status, seasons }) {
  if (!seasons) {
    return t(`status.${status}`);
  }
  return seasons.total === undefined
    ? t("status.seasons", { requested: seasons.requested })
    : t("status.partial", { requested: seasons.requested, total: seasons.total });
}
