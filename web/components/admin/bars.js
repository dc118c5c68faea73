import { dateOnly } from "./days.js";
import { t } from "../../i18n.js";
import { html, useState } from "../../vendor/modules.js";
import { Button } from "../button.js";

/** @typedef {import("../../api.js").Schemas["DayStats"]} Day */

const WIDTH = 600;
const HEIGHT = 160;
const GAP = 4;

/**
 * Bars by day; the table beside it is for screen readers, and for everyone who asks for it.
 *
 * @param {{label: string, days: Day[]}} props
 */
export function Bars({ label, days }) {
  const most = Math.max(...days.map(({ requests }) => requests), 1);
  const step = WIDTH / Math.max(days.length, 1);
  const first = days[0];
  const last = days[days.length - 1];
  return html`
    <${Chart} label=${label} heads=${[t("overview.day"), t("overview.requests")]} rows=${days.map(({ day, requests }) => [dateOnly(day), String(requests)])}>
      <svg class="bars" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" focusable="false" preserveAspectRatio="none">
        <line x1="0" x2=${WIDTH} y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5} />
        ${days.map(({ day, requests }, index) => {
          const height = requests ? Math.max((requests / most) * (HEIGHT - 4), 3) : 0;
          return html`<rect key=${day} x=${index * step + GAP / 2} y=${HEIGHT - height} width=${step - GAP} height=${height} rx="2"><title>${`${dateOnly(day)}: ${requests}`}</title></rect>`;
        })}
      </svg>
      ${first && last ? html`<p class="axis small muted" aria-hidden="true"><span>${dateOnly(first.day)}</span><span>${t("overview.most", { count: most })}</span><span>${dateOnly(last.day)}</span></p>` : null}
    <//>`;
}

/**
 * A drawing with its table: the table is always there for screen readers.
 *
 * @param {{label: string, heads: string[], rows: string[][], children?: any}} props
 */
export function Chart({ label, heads, rows, children }) {
  const [shown, setShown] = useState(false);
  return html`
    <div class="chart">
      ${children}
      <${Button} class="bare" label=${t(shown ? "overview.hideTableOf" : "overview.showTableOf", { label })} onClick=${() => setShown(!shown)}>${t(shown ? "overview.hideTable" : "overview.showTable")}<//>
      <div class=${shown ? "numbers-box" : "vh"}>
        <table class="numbers">
          <caption class="vh">${label}</caption>
          <thead><tr>${heads.map((head) => html`<th key=${head} scope="col">${head}</th>`)}</tr></thead>
          <tbody>${rows.map(([name, ...cells]) => html`<tr key=${name}><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
        </table>
      </div>
    </div>`;
}
