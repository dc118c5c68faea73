import { t } from "../../i18n.js";
import { html } from "../../vendor/modules.js";
import { Chart } from "./bars.js";
import { number } from "./units.js";

/** @typedef {{key: string, label: string, count: number}} Part */

const RADIUS = 40;
const ROUND = 2 * Math.PI * RADIUS;

/**
 * Parts of a whole as a ring, with a legend that has the numbers, and a table beside it.
 *
 * @param {{label: string, parts: Part[], heads: string[]}} props
 */
export function Donut({ label, parts, heads }) {
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  let before = 0;
  const arcs = parts.filter(({ count }) => count > 0).map(({ key, count }) => {
    const length = (count / total) * ROUND;
    const offset = -before;
    before += length;
    return html`<circle key=${key} class=${key} cx="60" cy="60" r=${RADIUS} stroke-dasharray=${`${length} ${ROUND - length}`} stroke-dashoffset=${offset} />`;
  });
  const share = (/** @type {number} */ count) => (total ? `${number((count / total) * 100)} %` : "–");
  return html`
    <${Chart} label=${label} heads=${[...heads, t("overview.share")]} rows=${parts.map((part) => [part.label, number(part.count), share(part.count)])}>
      <div class="donut-box">
        <svg class="donut" viewBox="0 0 120 120" aria-hidden="true" focusable="false">
          <circle class="empty" cx="60" cy="60" r=${RADIUS} />
          <g transform="rotate(-90 60 60)">${arcs}</g>
          <text x="60" y="60" text-anchor="middle" dominant-baseline="central">${number(total)}</text>
        </svg>
        <ul class="legend" aria-hidden="true">${parts.map(({ key, label: name, count }) => html`<li key=${key}><span class=${`dot ${key}`}></span>${name}<b>${number(count)}</b></li>`)}</ul>
      </div>
    <//>`;
}
