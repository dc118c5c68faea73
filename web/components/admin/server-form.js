import { t } from "../../i18n.js";
import { html } from "../../vendor/modules.js";
import { Button } from "../button.js";
import { Field } from "../field.js";
import { Icon } from "../icon.js";
import { Segmented } from "../segmented.js";
import { AdminIcon } from "./icon.js";

/**
 * @typedef {import("../../api.js").Schemas["Server"]} Server
 * @typedef {import("../../api.js").Schemas["HandoverOptions"]} Options
 * @typedef {{kind: "radarr" | "sonarr", name: string, baseUrl: string, isDefault: boolean, enabled: boolean, options: Options}} Fields
 * @typedef {{key: string | null, headers: [string, string][] | null}} Secrets null keeps what is stored
 * @typedef {Record<string, string>} Problems
 */

const MOST_HEADERS = 5;

/**
 * Kind, name and address of a server, and whether titles go there.
 *
 * @param {{fields: Fields, isNew: boolean, problems: Problems, onChange: (change: Partial<Fields>) => void}} props
 */
export function ServerFields({ fields, isNew, problems, onChange }) {
  return html`
    ${isNew
      ? html`<div class="field"><span class="name">${t("server.kind")}</span>
          <div class="scroller inline"><${Segmented} label=${t("server.kind")} value=${fields.kind} choices=${[["radarr", t("servers.kind.radarr")], ["sonarr", t("servers.kind.sonarr")]]} onChange=${(/** @type {Fields["kind"]} */ kind) => onChange({ kind })} /></div>
        </div>`
      : null}
    <div class="columns">
      <${Field} id="server-name" label=${t("server.name")} value=${fields.name} maxLength=${60} problem=${problems["name"]} onInput=${(/** @type {string} */ name) => onChange({ name })} />
      <${Field} id="server-url" label=${t("server.url")} value=${fields.baseUrl} maxLength=${500} problem=${problems["baseUrl"]} describedBy="server-url-hint" onInput=${(/** @type {string} */ baseUrl) => onChange({ baseUrl })} />
    </div>
    <p class="hint below" id="server-url-hint">${t(`server.urlHint.${fields.kind}`)}</p>
    ${/^http:/i.test(fields.baseUrl.trim()) ? html`<p class="note bad"><${Icon} name="triangle-alert" /><span>${t("server.plainHttp")}</span></p>` : null}
    <label class="check"><input type="checkbox" checked=${fields.enabled} onChange=${(/** @type {any} */ event) => onChange({ enabled: event.currentTarget.checked })} />
      <span>${t("server.enabled")}<span class="hint">${t("server.enabledHint")}</span></span></label>
    <label class="check"><input type="checkbox" checked=${fields.isDefault} onChange=${(/** @type {any} */ event) => onChange({ isDefault: event.currentTarget.checked })} />
      <span>${t(`server.default.${fields.kind}`)}<span class="hint">${t("server.defaultHint")}</span></span></label>`;
}

/**
 * The API key and the extra headers: what is stored is only recognised, and replaced as a whole.
 *
 * @param {{server: Server | undefined, hasMoved: boolean, secrets: Secrets, problems: Problems, onChange: (secrets: Secrets) => void}} props
 */
export function ServerSecrets({ server, hasMoved, secrets, problems, onChange }) {
  const isKept = secrets.key === null && server?.hasKey && !hasMoved;
  return html`
    ${hasMoved && server?.hasKey ? html`<p class="note info" role="status"><${Icon} name="info" /><span>${t("server.moved")}</span></p>` : null}
    ${isKept
      ? html`<div class="field"><span class="name" id="key-name">${t("server.key")}</span>
          <span class="chosen"><span><span aria-hidden="true">••••</span><span class="vh">${t("server.keyEnds")} </span>${server?.keyLast4}</span>
          <${Button} class="bare" label=${t("server.replaceKey")} onClick=${() => onChange({ ...secrets, key: "" })}>${t("server.replace")}<//></span></div>`
      : html`
        <div class="field"><label class="name" for="server-key"><span>${t("server.key")}</span><span class="hint">${t("server.keyHint")}</span></label>
          <input id="server-key" type="password" value=${secrets.key ?? ""} maxlength="200" autocomplete="off" spellcheck=${false} aria-invalid=${problems["apiKey"] ? "true" : undefined}
            aria-describedby="server-key-problem" onInput=${(/** @type {any} */ event) => onChange({ ...secrets, key: event.currentTarget.value })} />
          <span class="problem" id="server-key-problem">${problems["apiKey"] ?? ""}</span>
          ${server?.hasKey && !hasMoved ? html`<${Button} class="bare" onClick=${() => onChange({ ...secrets, key: null })}>${t("server.keepKey")}<//>` : null}
        </div>`}
    <${Headers} server=${server} hasMoved=${hasMoved} headers=${secrets.headers} problem=${problems["headers"]} onChange=${(/** @type {Secrets["headers"]} */ headers) => onChange({ ...secrets, headers })} />`;
}

/**
 * @param {{server: Server | undefined, hasMoved: boolean, headers: Secrets["headers"], problem: string | undefined, onChange: (headers: Secrets["headers"]) => void}} props
 */
function Headers({ server, hasMoved, headers, problem, onChange }) {
  const stored = server?.headerNames ?? [];
  if (headers === null && stored.length && !hasMoved) {
    return html`
      <div class="field"><span class="name">${t("server.headers")}</span>
        <span class="chosen"><span>${stored.map((name) => `${name}: ••••`).join(", ")}</span>
        <${Button} class="bare" label=${t("server.replaceHeaders")} onClick=${() => onChange(stored.map((name) => [name, ""]))}>${t("server.replace")}<//></span></div>`;
  }
  const rows = headers ?? [];
  /**
   * @param {number} index
   * @param {0 | 1} part
   * @param {string} text
   */
  const set = (index, part, text) => onChange(rows.map((row, at) => (at === index ? (part === 0 ? [text, row[1]] : [row[0], text]) : row)));
  return html`
    <fieldset class="headers">
      <legend class="name">${t("server.headers")} <span class="hint">${t("server.headersHint")}</span></legend>
      ${rows.map(
        ([name, value], index) => html`
          <div class="header-row" key=${index}>
            <input type="text" value=${name} maxlength="64" aria-label=${t("server.headerName", { number: index + 1 })} placeholder="CF-Access-Client-Id" autocomplete="off" autocapitalize="none" autocorrect=${false} spellcheck=${false} onInput=${(/** @type {any} */ event) => set(index, 0, event.currentTarget.value)} />
            <input type="password" value=${value} maxlength="1000" aria-label=${t("server.headerValue", { number: index + 1 })} autocomplete="off" onInput=${(/** @type {any} */ event) => set(index, 1, event.currentTarget.value)} />
            <${Button} class="bare" label=${t("server.removeHeader", { number: index + 1 })} onClick=${() => onChange(rows.filter((_, at) => at !== index))}><${Icon} name="x" /><//>
          </div>`,
      )}
      <span class="problem" role="status">${problem ?? ""}</span>
      ${rows.length < MOST_HEADERS ? html`<${Button} icon="plus" onClick=${() => onChange([...rows, ["", ""]])}>${t("server.addHeader")}<//>` : null}
      ${stored.length && !hasMoved ? html`<${Button} class="bare" onClick=${() => onChange(null)}>${t("server.keepHeaders")}<//>` : null}
    </fieldset>`;
}

/** The use of an address and a key, to be read before they are given away. */
export function ServerTrust() {
  const points = ["calls", "handover", "key", "address", "keyPower", "log"];
  return html`
    <section class="trust" aria-labelledby="trust-title">
      <h3 id="trust-title"><${AdminIcon} name="shield-check" /><span>${t("server.trust.title")}</span></h3>
      <ul>${points.map((point) => html`<li key=${point}>${t(`server.trust.${point}`)}</li>`)}</ul>
    </section>`;
}

/**
 * Return what is wrong with the fields before they are sent.
 *
 * @param {Fields} fields
 * @param {Secrets} secrets
 * @param {boolean} needsKey
 * @returns {Problems}
 */
export function findProblems(fields, secrets, needsKey) {
  /** @type {Problems} */
  const problems = {};
  if (!fields.name.trim()) {
    problems["name"] = t("server.problem.nameMissing");
  }
  if (!fields.baseUrl.trim()) {
    problems["baseUrl"] = t("server.problem.urlMissing");
  }
  const key = (secrets.key ?? "").trim();
  if ((needsKey || secrets.key !== null) && !/^[!-~]{8,200}$/.test(key)) {
    problems["apiKey"] = t(key ? "server.problem.key" : "server.problem.keyMissing");
  }
  if ((secrets.headers ?? []).some(([name, value]) => !name.trim() || !value)) {
    problems["headers"] = t("server.problem.headersMissing");
  }
  return problems;
}

/**
 * Return the problems that the service found, by field.
 *
 * @param {import("../../api.js").ApiError} error
 * @returns {Problems}
 */
export function problemsOf(error) {
  /** @type {Problems} */
  const problems = {};
  for (const { field } of error.code === "VALIDATION_ERROR" && Array.isArray(error.details) ? error.details : []) {
    const name = String(field).split(".")[1] ?? "body";
    problems[name] = ["name", "baseUrl", "apiKey", "headers", "options", "body"].includes(name) ? t(`server.problem.${name}`) : "";
  }
  return problems;
}
