import { asApiError, call } from "../../api.js";
import { dateTime, errorText, relative, t } from "../../i18n.js";
import { html, useEffect, useRef, useState } from "../../vendor/modules.js";
import { Button } from "../button.js";
import { Problem, useRetry } from "../failure.js";
import { Icon } from "../icon.js";
import { AdminIcon } from "./icon.js";
import { ServerState, failureText, stateText } from "./server-state.js";
import { number, size } from "./units.js";

/**
 * @typedef {import("../../api.js").Schemas["Server"]} Server
 * @typedef {import("../../api.js").Schemas["Inventory"]} Inventory
 * @typedef {import("../../api.js").Schemas["Test"]} Test
 * @typedef {import("../../api.js").ApiError} ApiError
 */

const PAUSE = 2000;
const MOST_READS = 10;

/**
 * The state of a server, its test, and what it offers.
 *
 * @param {{server: Server, inventory: Inventory | undefined, error: ApiError | undefined, reload: () => void}} props
 */
export function ServerStatus({ server, inventory, error, reload }) {
  useFirstReading(server, inventory, reload);
  return html`
    <section class="panel">
      <h2>${t("server.state")}</h2>
      <p><${ServerState} server=${server} /> ${stateText(server)}</p>
      ${server.version ? html`<p class="small muted">${t("server.version", { version: server.version })}</p>` : null}
      ${server.enabled ? null : html`<p class="note info"><${Icon} name="info" /><span>${t("server.isDisabled")}</span></p>`}
      <${TestPart} server=${server} reload=${reload} />
      <${Offer} server=${server} inventory=${inventory} error=${error} />
    </section>`;
}

/** @param {{server: Server, reload: () => void}} props */
function TestPart({ server, reload }) {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState(/** @type {Test | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const wait = useRetry(error?.code === "RATE_LIMITED" ? error : undefined, () => setError(undefined));
  const run = async () => {
    setBusy(true);
    setError(undefined);
    setResult(undefined);
    try {
      const { data } = await call("POST", `/admin/servers/${server.id}/test`);
      setResult(/** @type {Test} */ (data));
      reload();
    } catch (caught) {
      setError(asApiError(caught));
    }
    setBusy(false);
  };
  return html`
    <div class="test">
      <${Button} busy=${busy} disabled=${wait > 0} describedBy="test-hint" onClick=${run}>${wait > 0 ? t("failure.retryIn", { seconds: wait }) : t("server.test")}<//>
      <p class="hint" id="test-hint">${t("server.testHint")}</p>
    </div>
    <div role="status">${result ? html`<${Result} result=${result} />` : null}</div>
    <${Problem} error=${error} />`;
}

/** @param {{result: Test}} props */
function Result({ result: { ok, version, latencyMs, error } }) {
  return ok
    ? html`<p class="note good"><${AdminIcon} name="plug" /><span>${t("server.testOk", { version: version ?? "?", milliseconds: number(latencyMs ?? 0) })}</span></p>`
    : html`<p class="note bad"><${AdminIcon} name="plug" /><span><b>${t("server.testFailed")}</b> ${error ? failureText(error) : ""} <span class="nowrap">(${error?.code})</span></span></p>`;
}

/** @param {{server: Server, inventory: Inventory | undefined, error: ApiError | undefined}} props */
function Offer({ server, inventory, error }) {
  if (!inventory) {
    return error ? html`<p class="note bad"><${Icon} name="triangle-alert" /><span>${errorText(error)}</span></p>` : html`<p class="skel small" aria-hidden="true"> </p>`;
  }
  if (!inventory.readAt) {
    return html`<p class="muted" role="status">${t(server.state === "unknown" && server.enabled ? "server.reading" : "server.notRead")}</p>`;
  }
  return html`
    <h3 class="part">${t("server.inventory")}</h3>
    <p class="small muted">${t("server.readAt", { when: relative(inventory.readAt), time: dateTime(inventory.readAt) })}</p>
    <dl class="facts-list">
      <div><dt>${t("server.profiles")}</dt><dd>${names(inventory.profiles.map(({ name }) => name))}</dd></div>
      <div><dt>${t("server.folders")}</dt>${inventory.rootFolders.map(
        ({ path, freeBytes, accessible }) => html`<dd key=${path}>${path}${freeBytes === undefined ? "" : html` <span class="muted small">${t("options.free", { size: size(freeBytes) })}</span>`}${accessible ? "" : html` <span class="badge declined"><${AdminIcon} name="ban" />${t("options.notWritable")}</span>`}</dd>`,
      )}${inventory.rootFolders.length ? null : html`<dd>${t("server.nothing")}</dd>`}</div>
      <div><dt>${t("server.tags")}</dt><dd>${names(inventory.tags.map(({ label }) => label))}</dd></div>
    </dl>`;
}

/** @param {string[]} texts */
function names(texts) {
  return texts.join(", ") || t("server.nothing");
}

/**
 * Read again for a while until the first inventory of a new server has come, while the tab is seen.
 *
 * @param {Server} server
 * @param {Inventory | undefined} inventory
 * @param {() => void} reload
 */
function useFirstReading(server, inventory, reload) {
  const reads = useRef(0);
  const isAwaited = inventory !== undefined && !inventory.readAt && server.enabled && server.hasKey && server.state === "unknown";
  useEffect(() => {
    if (!isAwaited || reads.current >= MOST_READS) {
      return undefined;
    }
    const timer = setTimeout(() => {
      reads.current += 1;
      if (document.visibilityState === "visible") {
        reload();
      }
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [isAwaited, inventory]);
}
