import { dateOnly, t } from "../i18n.js";
import { html, useEffect, useRef } from "../vendor/modules.js";
import { Badge } from "./badge.js";

/** @typedef {NonNullable<import("../api.js").Schemas["TitleDetails"]["seasons"]>[number]} Season */

/** Whether a season can be requested. @param {Season} season */
export function isFree(season) {
  return season.request === undefined;
}

/**
 * Checkboxes for the seasons of a show, each with its state; the specials are apart.
 *
 * @param {{seasons: Season[], chosen: number[], onChange: (chosen: number[]) => void}} props
 */
export function SeasonList({ seasons, chosen, onChange }) {
  const regular = seasons.filter(({ number }) => number > 0);
  const specials = seasons.filter(({ number }) => number === 0);
  const free = regular.filter(isFree).map(({ number }) => number);
  const count = free.filter((number) => chosen.includes(number)).length;
  /** @param {number} number */
  const toggle = (number) => onChange(chosen.includes(number) ? chosen.filter((each) => each !== number) : [...chosen, number].sort((a, b) => a - b));
  const others = chosen.filter((number) => !free.includes(number));
  return html`
    <fieldset>
      <legend class="vh">${t("seasons.legend")}</legend>
      <ul class="seasons">
        ${free.length > 1 ? html`<li><${All} count=${count} total=${free.length} onChange=${() => onChange(count === free.length ? others : [...others, ...free].sort((a, b) => a - b))} /></li>` : null}
        ${regular.map((season) => html`<${SeasonRow} key=${season.number} season=${season} checked=${chosen.includes(season.number)} onToggle=${toggle} />`)}
      </ul>
      ${specials.length
        ? html`<ul class="seasons" aria-label=${t("seasons.specials")}>${specials.map((season) => html`<${SeasonRow} key=${season.number} season=${season} checked=${chosen.includes(season.number)} onToggle=${toggle} />`)}</ul>`
        : null}
    </fieldset>`;
}

/** @param {{count: number, total: number, onChange: () => void}} props */
function All({ count, total, onChange }) {
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (box.current) {
      box.current.indeterminate = count > 0 && count < total;
    }
  }, [count, total]);
  return html`<label><input ref=${box} type="checkbox" checked=${count === total} onChange=${onChange} /><b>${t("seasons.all")}</b><span class="end muted small">${t("seasons.chosen", { count, total })}</span></label>`;
}

/** @param {{season: Season, checked: boolean, onToggle: (number: number) => void}} props */
function SeasonRow({ season, checked, onToggle }) {
  const held = season.request;
  return html`
    <li>
      <label class=${held ? "off" : ""}>
        <input type="checkbox" checked=${held ? true : checked} disabled=${held !== undefined} onChange=${() => onToggle(season.number)} />
        <span>${season.number === 0 ? t("seasons.specials") : t("seasons.number", { number: String(season.number) })}</span>
        <span class="end muted small">${about(season)}${held ? html`<${Badge} request=${held} />` : null}</span>
      </label>
    </li>`;
}

/** @param {Season} season */
function about({ episodeCount, airDate }) {
  // Until the day begins here.
  if (airDate && new Date(`${airDate}T00:00`) > new Date()) {
    return t("seasons.airs", { date: dateOnly(airDate) });
  }
  return episodeCount ? t("seasons.episodes", { count: episodeCount }) : t("seasons.announced");
}
