import { t } from "../../i18n.js";
import { know } from "../../state/admin/rules.js";
import { html, useState } from "../../vendor/modules.js";
import { Button } from "../button.js";
import { Icon } from "../icon.js";
import { Segmented } from "../segmented.js";
import { useLoad } from "../../state/load.js";
import { HandoverOptions } from "./handover-options.js";
import { PersonField } from "./person-field.js";
import { GENRES, LANGUAGE_CODES, genre, languageName } from "./rule-texts.js";

/**
 * @typedef {import("../../state/admin/rules.js").Edited} Edited
 * @typedef {import("../../api.js").Schemas["Server"]} Server
 * @typedef {import("../../api.js").Schemas["Inventory"]} Inventory
 */

/** @type {Record<"movie" | "tv", "radarr" | "sonarr">} */
export const KIND_OF = { movie: "radarr", tv: "sonarr" };

/**
 * The fields of one rule.
 *
 * @param {{rule: Edited, servers: Server[], users: Map<string, string>, onChange: (rule: Edited) => void}} props
 */
export function RuleForm({ rule, servers, users, onChange }) {
  const id = `rule-${rule.key}`;
  const { conditions } = rule;
  const fitting = servers.filter(({ kind }) => kind === KIND_OF[rule.mediaType]);
  /**
   * @param {string} name
   * @param {unknown[] | boolean | undefined} value
   */
  const set = (name, value) => {
    const next = /** @type {Record<string, unknown>} */ ({ ...conditions, [name]: value });
    if (value === undefined || (Array.isArray(value) && value.length === 0)) {
      delete next[name];
    }
    onChange({ ...rule, conditions: next });
  };
  const people = conditions.userIds ?? [];
  return html`
    <div class="rule-form">
      <div class="field"><span class="name">${t("rules.mediaType")}</span>
        <div class="scroller inline"><${Segmented} label=${t("rules.mediaType")} value=${rule.mediaType} choices=${[["movie", t("rules.movies")], ["tv", t("rules.shows")]]} onChange=${(/** @type {"movie" | "tv"} */ mediaType) => mediaType !== rule.mediaType && onChange(ofType(rule, mediaType, servers))} /></div>
      </div>
      <h3>${t("rules.conditions")}</h3>
      <p class="hint">${t("rules.conditionsHint")}</p>
      <div class="columns">
        <${Choose} id=${`${id}-genres`} label=${t("rules.genres")} chosen=${(conditions.genreIds ?? []).map(String)} all=${GENRES[rule.mediaType].map(String)} text=${(/** @type {string} */ each) => genre(Number(each))} onChange=${(/** @type {string[]} */ chosen) => set("genreIds", chosen.map(Number))} />
        <${Choose} id=${`${id}-languages`} label=${t("rules.languages")} chosen=${conditions.languages ?? []} all=${LANGUAGE_CODES} text=${languageName} onChange=${(/** @type {string[]} */ chosen) => set("languages", chosen)} />
        <${Numbers} id=${`${id}-keywords`} chosen=${conditions.keywordIds ?? []} onChange=${(/** @type {number[]} */ chosen) => set("keywordIds", chosen)} />
        <${Pick} id=${`${id}-anime`} label=${t("rules.anime")} value=${conditions.anime === undefined || conditions.anime === null ? "" : String(conditions.anime)}
          choices=${[["", t("rules.animeAny")], ["true", t("rules.animeOnly")], ["false", t("rules.animeNot")]]} onChange=${(/** @type {string} */ text) => set("anime", text === "" ? undefined : text === "true")} />
      </div>
      ${people.length ? html`<${Picks} items=${people} text=${(/** @type {string} */ each) => users.get(each) || t("rules.deletedUser")} onChange=${(/** @type {string[]} */ chosen) => set("userIds", chosen)} />` : null}
      <${PersonField} id=${`${id}-people`} label=${t("rules.people")} value=${null}
        onChange=${(/** @type {{id: string, username: string} | null} */ person) => { if (person) { know(person); set("userIds", people.includes(person.id) ? people : [...people, person.id]); } }} />
      <h3>${t("rules.then")}</h3>
      <${Pick} id=${`${id}-server`} label=${t("rules.server")} value=${rule.serverId} choices=${[...(fitting.some((each) => each.id === rule.serverId) ? [] : [["", t("rules.chooseServer")]]), ...fitting.map((each) => [each.id, each.enabled ? each.name : t("rules.disabledServer", { name: each.name })])]}
        onChange=${(/** @type {string} */ serverId) => onChange({ ...rule, serverId, options: {} })} />
      ${fitting.length === 0 ? html`<p class="note info"><${Icon} name="info" /><span>${t(`rules.noServerOf.${KIND_OF[rule.mediaType]}`)}</span></p>` : null}
      ${rule.serverId ? html`<${Options} key=${rule.serverId} id=${id} rule=${rule} onChange=${onChange} />` : null}
    </div>`;
}

/** @param {{id: string, rule: Edited, onChange: (rule: Edited) => void}} props */
function Options({ id, rule, onChange }) {
  const inventory = /** @type {Inventory | undefined} */ (useLoad(`/admin/servers/${rule.serverId}/inventory`).data);
  return html`<${HandoverOptions} id=${id} kind=${KIND_OF[rule.mediaType]} options=${rule.options} inventory=${inventory} unset="rule" onChange=${(/** @type {Edited["options"]} */ options) => onChange({ ...rule, options })} />`;
}

/** @param {{id: string, label: string, value: string, choices: [string, string][], onChange: (value: string) => void}} props */
function Pick({ id, label, value, choices, onChange }) {
  return html`
    <div class="field"><label class="name" for=${id}>${label}</label>
      <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => onChange(event.currentTarget.value)}>
        ${choices.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
      </select></div>`;
}

/**
 * Some of many: the chosen ones with a button each, and a list of the rest.
 *
 * @param {{id: string, label: string, chosen: string[], all: string[], text: (key: string) => string, onChange: (chosen: string[]) => void}} props
 */
function Choose({ id, label, chosen, all, text, onChange }) {
  const rest = all.filter((key) => !chosen.includes(key)).map((key) => /** @type {[string, string]} */ ([key, text(key)]));
  rest.sort(([, one], [, other]) => one.localeCompare(other));
  return html`
    <div class="field"><label class="name" for=${id}>${label}</label>
      <${Picks} items=${chosen} text=${text} onChange=${onChange} />
      <select id=${id} value="" onChange=${(/** @type {any} */ event) => { const key = event.currentTarget.value; event.currentTarget.value = ""; if (key) { onChange([...chosen, key]); } }}>
        <option value="">${t(chosen.length ? "rules.addAnother" : "rules.any")}</option>
        ${rest.map(([key, name]) => html`<option key=${key} value=${key}>${name}</option>`)}
      </select></div>`;
}

/** @param {{id: string, chosen: number[], onChange: (chosen: number[]) => void}} props */
function Numbers({ id, chosen, onChange }) {
  const [typed, setTyped] = useState("");
  const number = Number(typed);
  const isBad = typed !== "" && !(Number.isInteger(number) && number > 0);
  const add = () => {
    if (typed && !isBad) {
      onChange(chosen.includes(number) ? chosen : [...chosen, number]);
      setTyped("");
    }
  };
  return html`
    <div class="field"><label class="name" for=${id}><span>${t("rules.keywords")}</span><span class="hint">${t("rules.keywordsHint")}</span></label>
      <${Picks} items=${chosen.map(String)} text=${(/** @type {string} */ each) => each} onChange=${(/** @type {string[]} */ left) => onChange(left.map(Number))} />
      <div class="with-add">
        <input id=${id} type="text" inputmode="numeric" value=${typed} maxlength="9" autocomplete="off" aria-invalid=${isBad ? "true" : undefined} aria-describedby=${`${id}-problem`}
          onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value.trim())} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && (event.preventDefault(), add())} />
        <${Button} label=${t("rules.addKeyword")} onClick=${add}>${t("options.addTag")}<//>
      </div>
      <span class="problem" id=${`${id}-problem`} role="status">${isBad ? t("rules.keywordProblem") : ""}</span></div>`;
}

/** @param {{items: string[], text: (key: string) => string, onChange: (left: string[]) => void}} props */
function Picks({ items, text, onChange }) {
  return items.length
    ? html`<ul class="picks">${items.map((key) => html`<li key=${key}><span>${text(key)}</span><${Button} class="bare" label=${t("rules.remove", { name: text(key) })} onClick=${() => onChange(items.filter((each) => each !== key))}><${Icon} name="x" /><//></li>`)}</ul>`
    : null;
}

/**
 * Return a rule for the other kind of title: what does not fit is left out.
 *
 * @param {Edited} rule
 * @param {"movie" | "tv"} mediaType
 * @param {Server[]} servers
 */
function ofType(rule, mediaType, servers) {
  const { genreIds, ...conditions } = rule.conditions;
  const kept = (genreIds ?? []).filter((each) => GENRES[mediaType].includes(each));
  const serverId = servers.find(({ kind }) => kind === KIND_OF[mediaType])?.id ?? "";
  return { ...rule, mediaType, conditions: kept.length ? { ...conditions, genreIds: kept } : conditions, serverId, options: {} };
}
