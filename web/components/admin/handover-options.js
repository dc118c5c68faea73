import { t } from "../../i18n.js";
import { html, useState } from "../../vendor/modules.js";
import { Button } from "../button.js";
import { Select } from "../field.js";
import { Icon } from "../icon.js";
import { size } from "./units.js";

/**
 * @typedef {import("../../api.js").Schemas["Inventory"]} Inventory
 * @typedef {import("../../api.js").Schemas["HandoverOptions"]} Options
 */

const TAG = /^[a-z0-9-]{1,50}$/;
/** Choices of the options that only one kind of server has. */
const ONLY = /** @type {const} */ ({
  radarr: { minimumAvailability: ["announced", "inCinemas", "released"] },
  sonarr: { seriesType: ["standard", "daily", "anime"], monitorNewItems: ["all", "none"] },
});

/**
 * The options of a hand-over. One that is not set comes from elsewhere, as `unset` says.
 *
 * @param {{id: string, kind: "radarr" | "sonarr", options: Options, inventory: Inventory | undefined,
 *   unset: "server" | "rule", onChange: (options: Options) => void}} props
 */
export function HandoverOptions({ id, kind, options, inventory, unset, onChange }) {
  const none = t(`options.unset.${unset}`);
  /**
   * @param {string} name
   * @param {unknown} value
   */
  const set = (name, value) => {
    const next = /** @type {Record<string, unknown>} */ ({ ...options });
    if (value === undefined || value === "") {
      delete next[name];
    } else {
      next[name] = value;
    }
    onChange(next);
  };
  const choice = (/** @type {string} */ name, /** @type {[string, string][]} */ choices) => {
    const value = /** @type {any} */ (options)[name];
    return html`
      <${Choice} id=${`${id}-${name}`} label=${t(`options.${name}`)} value=${value === undefined || value === null ? "" : String(value)}
        choices=${[["", none], ...choices]} onChange=${(/** @type {string} */ text) => set(name, parsed(name, text))} />`;
  };
  const yesNo = (/** @type {string} */ name) => choice(name, [["true", t("options.yes")], ["false", t("options.no")]]);
  return html`
    <div class="columns">
      ${choice("qualityProfileId", withPresent(profiles(inventory), options.qualityProfileId, inventory !== undefined))}
      ${choice("rootFolderPath", withPresent(folders(inventory), options.rootFolderPath, inventory !== undefined))}
      ${Object.entries(ONLY[kind] ?? {}).map(([name, values]) => choice(name, values.map((/** @type {string} */ value) => [value, t(`options.${name}.${value}`)])))}
      ${kind === "sonarr" ? yesNo("seasonFolder") : null}
      ${yesNo("search")}
      ${yesNo("tagRequester")}
    </div>
    <${Tags} id=${`${id}-tags`} chosen=${options.tags ?? []} known=${(inventory?.tags ?? []).map(({ label }) => label)}
      onChange=${(/** @type {string[]} */ tags) => set("tags", tags.length ? tags : undefined)} />`;
}

/** @param {{id: string, label: string, value: string, choices: [string, string][], onChange: (value: string) => void}} props */
function Choice({ id, label, value, choices, onChange }) {
  return html`
    <div class="field">
      <label class="name" for=${id}>${label}</label>
      <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => onChange(event.currentTarget.value)}>
        ${choices.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
      </select>
    </div>`;
}

/**
 * Labels of tags: those that the server has are offered, others are typed.
 *
 * @param {{id: string, chosen: string[], known: string[], onChange: (tags: string[]) => void}} props
 */
function Tags({ id, chosen, known, onChange }) {
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState("");
  const free = known.filter((label) => !chosen.includes(label));
  /** @param {string} text */
  const add = (text) => {
    const label = text.trim().toLowerCase();
    if (!TAG.test(label)) {
      setProblem(label ? t("options.tagProblem") : "");
      return;
    }
    setProblem("");
    setTyped("");
    onChange(chosen.includes(label) ? chosen : [...chosen, label]);
  };
  return html`
    <div class="field">
      <label class="name" for=${id}><span>${t("options.tags")}</span><span class="hint">${t("options.tagsHint")}</span></label>
      ${chosen.length
        ? html`<ul class="picks">${chosen.map((label) => html`<li key=${label}><span>${label}</span><${Button} class="bare" label=${t("options.removeTag", { label })} onClick=${() => onChange(chosen.filter((each) => each !== label))}><${Icon} name="x" /><//></li>`)}</ul>`
        : null}
      <div class="with-add">
        <input id=${id} type="text" value=${typed} maxlength="50" autocomplete="off" autocapitalize="none" autocorrect=${false} spellcheck=${false} aria-describedby=${`${id}-problem`}
          onInput=${(/** @type {any} */ event) => setTyped(event.currentTarget.value)}
          onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && (event.preventDefault(), add(typed))} />
        <${Button} onClick=${() => add(typed)}>${t("options.addTag")}<//>
      </div>
      <span class="problem" id=${`${id}-problem`} role="status">${problem}</span>
      ${free.length
        ? html`<${Select} id=${`${id}-known`} label=${t("options.knownTags")} value="" choices=${[["", t("options.chooseTag")], ...free.map((label) => [label, label])]} onChange=${(/** @type {string} */ label) => label && add(label)} />`
        : null}
    </div>`;
}

/**
 * @param {Inventory | undefined} inventory
 * @returns {[string, string][]}
 */
function profiles(inventory) {
  return (inventory?.profiles ?? []).map(({ id, name }) => [String(id), name]);
}

/**
 * @param {Inventory | undefined} inventory
 * @returns {[string, string][]}
 */
function folders(inventory) {
  return (inventory?.rootFolders ?? []).map(({ path, freeBytes, accessible }) => {
    const facts = [freeBytes === undefined ? "" : t("options.free", { size: size(freeBytes) }), accessible ? "" : t("options.notWritable")];
    return [path, [path, ...facts.filter(Boolean)].join(" · ")];
  });
}

/**
 * Keep a value that the server no longer offers, so that it can be seen and replaced.
 *
 * @param {[string, string][]} choices
 * @param {string | number | null | undefined} present
 * @param {boolean} isKnown Whether the server has told what it offers
 * @returns {[string, string][]}
 */
function withPresent(choices, present, isKnown) {
  const value = present === undefined || present === null ? "" : String(present);
  return value === "" || choices.some(([key]) => key === value) ? choices : [...choices, [value, isKnown ? t("options.gone", { value }) : value]];
}

/**
 * @param {string} name
 * @param {string} text
 */
function parsed(name, text) {
  if (text === "true" || text === "false") {
    return text === "true";
  }
  return name === "qualityProfileId" && text ? Number(text) : text;
}
