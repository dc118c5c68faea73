import { asApiError, call } from "../../api.js";
import { HandoverOptions } from "../../components/admin/handover-options.js";
import { ServerFields, ServerSecrets, ServerTrust, findProblems, problemsOf } from "../../components/admin/server-form.js";
import { ServerStatus } from "../../components/admin/server-status.js";
import { Button } from "../../components/button.js";
import { Confirm } from "../../components/dialog.js";
import { Failure, Problem, useRetry } from "../../components/failure.js";
import { Heading } from "../../components/frame.js";
import { Icon } from "../../components/icon.js";
import { toast } from "../../components/toasts.js";
import { list, t } from "../../i18n.js";
import { navigate, useScroll } from "../../router.js";
import { useLatest } from "../../state/admin/latest.js";
import { useDraft } from "../../state/drafts.js";
import { useLoad } from "../../state/load.js";
import { html, useState } from "../../vendor/modules.js";

/**
 * @typedef {import("../../api.js").Schemas["Server"]} Server
 * @typedef {import("../../api.js").Schemas["Inventory"]} Inventory
 * @typedef {import("../../components/admin/server-form.js").Fields} Fields
 * @typedef {import("../../components/admin/server-form.js").Secrets} Secrets
 * @typedef {import("../../api.js").ApiError} ApiError
 * @typedef {{from: Fields, mine: Fields}} Draft `from` is what the fields were when the change began
 */

const NAMES = /** @type {const} */ (["name", "baseUrl", "isDefault", "enabled", "options"]);
/** @type {Fields} */
const EMPTY = { kind: "radarr", name: "", baseUrl: "", isDefault: false, enabled: true, options: {} };

/**
 * /admin/servers/new and /admin/servers/:id
 *
 * @param {{id: string}} props
 */
export function ServerPage({ id }) {
  return id === "new" ? html`<${NewServer} key="new" />` : html`<${OneServer} key=${id} id=${id} />`;
}

function NewServer() {
  const { data, error } = useLoad("/admin/servers");
  const servers = /** @type {Server[] | undefined} */ (data);
  const isReady = servers !== undefined || error !== undefined;
  useScroll(isReady);
  // Without a default, titles without a rule are fetched by hand.
  const lacksDefault = (/** @type {Fields["kind"]} */ kind) => servers !== undefined && !servers.some((each) => each.kind === kind && each.enabled && each.isDefault);
  return html`
    <div class="head"><${Heading}>${t("server.new")}<//></div>
    ${isReady ? html`<div class="panels"><${Form} server=${undefined} inventory=${undefined} lacksDefault=${lacksDefault} onSaved=${added} /></div>` : html`<p class="skel small" aria-hidden="true" aria-busy="true"> </p>`}`;
}

/** @param {Server} server */
function added(server) {
  toast(t("server.added", { name: server.name }));
  navigate(`/admin/servers/${server.id}`);
}

/** @param {{id: string}} props */
function OneServer({ id }) {
  const { data, error, retry, set } = useLoad(`/admin/servers/${id}`);
  const server = useLatest(/** @type {Server | undefined} */ (data));
  const stock = useLoad(`/admin/servers/${id}/inventory`);
  const inventory = useLatest(/** @type {Inventory | undefined} */ (stock.data));
  useScroll(server !== undefined);
  // The inventory as well, because it stands above the form.
  if (!server || !(inventory || stock.error)) {
    return html`
      <${Heading} hidden>${t("servers.title")}<//>
      ${error ? html`<${Failure} error=${error} retry=${retry} /><p class="center"><a href="/admin/servers">${t("server.back")}</a></p>` : html`<p class="skel small" aria-hidden="true"> </p>`}`;
  }
  const reload = () => {
    retry();
    stock.retry();
  };
  return html`
    <div class="head">
      <${Heading} title=${server.name}>${server.name} <span class="chip">${t(`servers.kind.${server.kind}`)}</span><//>
      <a href="/admin/servers">${t("server.back")}</a>
    </div>
    <div class="panels">
      <${ServerStatus} server=${server} inventory=${inventory} error=${stock.error} reload=${reload} />
      <${Form} server=${server} inventory=${inventory?.readAt ? inventory : undefined} onSaved=${(/** @type {Server} */ saved) => { set(saved); stock.retry(); toast(t("server.saved", { name: saved.name })); }} />
      <${Delete} server=${server} />
    </div>`;
}

/**
 * @param {{server: Server | undefined, inventory: Inventory | undefined, lacksDefault?: (kind: Fields["kind"]) => boolean,
 *   onSaved: (server: Server) => void}} props `lacksDefault` tells of which kind there is no enabled default yet
 */
function Form({ server, inventory, lacksDefault = () => false, onSaved }) {
  const start = server ? fieldsOf(server) : { ...EMPTY, isDefault: lacksDefault(EMPTY.kind) };
  const [draft, setDraft, dropDraft] = useDraft(`server/${server?.id ?? "new"}`, /** @type {Draft | null} */ (null));
  // Not in the draft: a key is in no storage of the browser.
  const [secrets, setSecrets] = useState(/** @type {Secrets} */ ({ key: null, headers: null }));
  const [problems, setProblems] = useState(/** @type {Record<string, string>} */ ({}));
  const [theirs, setTheirs] = useState(/** @type {Server | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const [busy, setBusy] = useState(false);
  const wait = useRetry(error?.code === "RATE_LIMITED" ? error : undefined, () => setError(undefined));
  const fields = draft?.mine ?? start;
  const hasMoved = server !== undefined && fields.baseUrl.trim() !== server.baseUrl;
  /** @param {Partial<Fields>} change */
  const change = (change) => setDraft({ from: draft?.from ?? start, mine: { ...fields, ...(change.kind ? { isDefault: lacksDefault(change.kind) } : {}), ...change } });
  const forget = () => {
    setDraft(null);
    dropDraft();
    setSecrets({ key: null, headers: null });
    setProblems({});
    setTheirs(undefined);
    setError(undefined);
  };
  /** @param {boolean} isSure */
  const save = async (isSure) => {
    const found = findProblems(fields, secrets, !server || hasMoved || !server.hasKey);
    setProblems(found);
    setError(undefined);
    if (Object.keys(found).length) {
      focusFirst(found);
      return;
    }
    setBusy(true);
    try {
      const now = server && !isSure ? await read(server.id) : server;
      if (now && !isSure && conflicts(now, draft?.from ?? start, fields).length) {
        setTheirs(now);
      } else {
        const saved = await send(server, draft?.from ?? start, fields, secrets);
        forget();
        onSaved(saved);
      }
    } catch (caught) {
      const refusal = asApiError(caught);
      const refused = problemsOf(refusal);
      setProblems(refused);
      setError(refusal);
      focusFirst(refused);
    }
    setBusy(false);
  };
  const isChanged = draft !== null || secrets.key !== null || secrets.headers !== null;
  return html`
    <form class="panel" novalidate onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (!busy && !wait) { save(false); } }}>
      <h2>${t(server ? "server.settings" : "server.connection")}</h2>
      <${ServerFields} fields=${fields} isNew=${!server} problems=${problems} onChange=${change} />
      <h3 class="part">${t("server.access")}</h3>
      <${ServerSecrets} server=${server} hasMoved=${hasMoved} secrets=${secrets} problems=${problems} onChange=${setSecrets} />
      <${ServerTrust} />
      ${server ? html`<${OptionsPart} fields=${fields} inventory=${hasMoved ? undefined : inventory} onChange=${change} />` : html`<p class="note info"><${Icon} name="info" /><span>${t("server.optionsLater")}</span></p>`}
      ${theirs ? html`<${Conflict} theirs=${theirs} from=${draft?.from ?? start} mine=${fields} onTheirs=${() => { forget(); onSaved(theirs); }} onMine=${() => { setTheirs(undefined); save(true); }} />` : null}
      <${Refusal} error=${error} problems=${problems} />
      <div class="btns">
        ${isChanged ? html`<${Button} onClick=${forget}>${t("server.discard")}<//>` : null}
        <${Button} submit class="primary" busy=${busy} disabled=${wait > 0}>${wait > 0 ? t("failure.retryIn", { seconds: wait }) : t(server ? "server.save" : "server.saveNew")}<//>
      </div>
    </form>`;
}

/** @param {{fields: Fields, inventory: Inventory | undefined, onChange: (change: Partial<Fields>) => void}} props */
function OptionsPart({ fields, inventory, onChange }) {
  const isIncomplete = !fields.options.qualityProfileId || !fields.options.rootFolderPath;
  return html`
    <h3 class="part">${t("server.options")}</h3>
    ${inventory ? null : html`<p class="note info"><${Icon} name="info" /><span>${t("server.noInventory")}</span></p>`}
    ${inventory && isIncomplete ? html`<p class="note info"><${Icon} name="info" /><span>${t("server.optionsNeeded")}</span></p>` : null}
    <${HandoverOptions} id="server" kind=${fields.kind} options=${fields.options} inventory=${inventory} unset="server" onChange=${(/** @type {Fields["options"]} */ options) => onChange({ options })} />`;
}

/**
 * Another admin changed the same fields meanwhile: theirs, and the choice.
 *
 * @param {{theirs: Server, from: Fields, mine: Fields, onTheirs: () => void, onMine: () => void}} props
 */
function Conflict({ theirs, from, mine, onTheirs, onMine }) {
  const names = conflicts(theirs, from, mine);
  return html`
    <div class="note bad conflict" role="alert"><${Icon} name="triangle-alert" />
      <div>
        <p><b>${t("server.conflict", { fields: list(names.map((name) => t(`server.field.${name}`))) })}</b></p>
        ${names.filter((name) => name === "name" || name === "baseUrl").map((name) => html`<p key=${name}>${t(`server.field.${name}`)}: ${fieldsOf(theirs)[name]}</p>`)}
        <div class="btns"><${Button} onClick=${onTheirs}>${t("server.loadTheirs")}<//><${Button} class="danger" onClick=${onMine}>${t("server.saveMine")}<//></div>
      </div>
    </div>`;
}

/** @param {{error: ApiError | undefined, problems: Record<string, string>}} props */
function Refusal({ error, problems }) {
  const text = problems["body"] ?? problems["options"] ?? (error?.code === "NOT_FOUND" ? t("server.deletedMeanwhile") : undefined);
  return text
    ? html`<div role="alert"><p class="note bad"><${Icon} name="triangle-alert" /><span>${text}</span></p></div>`
    : html`<${Problem} error=${error} />`;
}

/** @param {{server: Server}} props */
function Delete({ server }) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await call("DELETE", `/admin/servers/${server.id}`);
    } catch (caught) {
      const refusal = asApiError(caught);
      if (refusal.code !== "NOT_FOUND") {
        setError(refusal);
        setBusy(false);
        return;
      }
    }
    setOpen(false);
    toast(t("server.deleted", { name: server.name }));
    navigate("/admin/servers");
  };
  return html`
    <section class="panel">
      <h2>${t("server.delete")}</h2>
      <p class="muted">${t("server.deleteHint")}</p>
      <div class="btns"><${Button} class="bad" onClick=${() => { setError(undefined); setOpen(true); }}>${t("server.deleteOf", { name: server.name })}<//></div>
      ${open
        ? html`<${Confirm} title=${t("server.deleteTitle", { name: server.name })} action=${t("server.delete")} isBad busy=${busy} onConfirm=${run} onClose=${() => setOpen(false)} error=${error}><p>${t("server.deleteText")}</p><//>`
        : null}
    </section>`;
}

/**
 * @param {Server} server
 * @returns {Fields}
 */
function fieldsOf({ kind, name, baseUrl, isDefault, enabled, options }) {
  return { kind, name, baseUrl, isDefault, enabled, options: /** @type {any} */ (options) };
}

/** @param {string} id */
async function read(id) {
  const { data } = await call("GET", `/admin/servers/${id}`);
  return /** @type {Server} */ (data);
}

/**
 * Return the fields that both changed, to different values.
 *
 * @param {Server} now
 * @param {Fields} from
 * @param {Fields} mine
 */
function conflicts(now, from, mine) {
  const theirs = fieldsOf(now);
  return NAMES.filter((name) => differ(mine[name], from[name]) && differ(theirs[name], from[name]) && differ(theirs[name], mine[name]));
}

/**
 * @param {unknown} one
 * @param {unknown} other
 */
function differ(one, other) {
  return sorted(one) !== sorted(other);
}

/** @param {unknown} value */
function sorted(value) {
  return JSON.stringify(typeof value === "object" && value !== null ? Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)) : value);
}

/**
 * Add a server, or send what was changed of it.
 *
 * @param {Server | undefined} server
 * @param {Fields} from
 * @param {Fields} mine
 * @param {Secrets} secrets
 */
async function send(server, from, mine, { key, headers }) {
  const fields = { ...mine, name: mine.name.trim(), baseUrl: mine.baseUrl.trim() };
  const secret = {
    ...(key === null ? {} : { apiKey: key.trim() }),
    ...(headers === null ? {} : { headers: headers.reduce((all, [name, value]) => ({ ...all, [name.trim()]: value }), {}) }),
  };
  const changed = NAMES.filter((name) => differ(fields[name], from[name])).reduce((all, name) => ({ ...all, [name]: fields[name] }), {});
  const { data } = server
    ? await call("PATCH", `/admin/servers/${server.id}`, { body: { ...changed, ...secret } })
    : await call("POST", "/admin/servers", { body: { ...fields, ...secret } });
  return /** @type {Server} */ (data);
}

/** @param {Record<string, string>} problems */
function focusFirst(problems) {
  const ids = /** @type {[string, string][]} */ ([["name", "server-name"], ["baseUrl", "server-url"], ["apiKey", "server-key"]]);
  const first = ids.find(([name]) => problems[name] !== undefined);
  if (first) {
    document.getElementById(first[1])?.focus();
  }
}
