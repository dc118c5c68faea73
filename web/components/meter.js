import { date, t } from "../i18n.js";
import { html } from "../vendor/modules.js";

/** @typedef {{limit: number, used: number, days: number, resetsAt?: string}} Quota */

/**
 * A quota: how much of it is left, and until when.
 *
 * @param {{kind: "movies" | "seasons", quota: Quota}} props
 */
export function Meter({ kind, quota: { limit, used, days, resetsAt } }) {
  const left = Math.max(limit - used, 0);
  return html`
    <div class=${left === 0 ? "meter out" : "meter"}>
      <progress max=${Math.max(limit, 1)} value=${Math.min(used, limit)} aria-hidden="true"></progress>
      <span>${t(`quota.${kind}`, { left, limit, days })}${left === 0 && resetsAt ? ` ${t("quota.resets", { date: date(resetsAt) })}` : ""}</span>
    </div>`;
}
