import { asApiError, call } from "../../api.js";
import { AdminIcon } from "../../components/admin/icon.js";
import { ServerState, stateText } from "../../components/admin/server-state.js";
import { Button } from "../../components/button.js";
import { Failure, Problem, useRetry } from "../../components/failure.js";
import { Heading } from "../../components/frame.js";
import { Icon } from "../../components/icon.js";
import { RowSkeleton } from "../../components/request-row.js";
import { t } from "../../i18n.js";
import { useScroll } from "../../router.js";
import { useLoad } from "../../state/load.js";
import { html, useState } from "../../vendor/modules.js";

/**
 * @typedef {import("../../api.js").Schemas["Server"]} Server
 * @typedef {import("../../api.js").Schemas["Adopted"]} Adopted
 */

const MOST = 10;

/** /admin/servers: what fetches approved titles, and how it is. */
export function ServersPage() {
  const { data, error, retry } = useLoad("/admin/servers");
  const servers = /** @type {Server[] | undefined} */ (data);
  useScroll(servers !== undefined);
  return html`
    <div class="head">
      <${Heading}>${t("servers.title")}<//>
      ${servers && servers.length > 0 && servers.length < MOST ? html`<a class="btn primary" href="/admin/servers/new"><span class="label"><${Icon} name="plus" /><span>${t("servers.add")}</span></span></a>` : null}
    </div>
    <p class="lead muted">${t("servers.lead")}</p>
    ${servers && servers.length >= MOST ? html`<p class="note info"><${Icon} name="info" /><span>${t("servers.full", { count: MOST })}</span></p>` : null}
    <p class="vh" role="status">${servers ? t("servers.found", { count: servers.length }) : ""}</p>
    ${error && !servers ? html`<${Failure} error=${error} retry=${retry} />` : null}
    ${servers || error ? null : html`<ul class="rows" aria-busy="true"><${RowSkeleton} /><${RowSkeleton} /></ul>`}
    ${servers && servers.length === 0 ? html`<${Nothing} />` : null}
    ${servers && servers.length > 0 ? html`<ul class="rows">${servers.map((server) => html`<${Row} key=${server.id} server=${server} />`)}</ul><p class="muted small after">${t("servers.rulesHint")} <a href="/admin/rules">${t("servers.toRules")}</a></p>` : null}
    ${servers?.some(({ enabled }) => enabled) ? html`<${Adopt} />` : null}`;
}

/** @param {{server: Server}} props */
function Row({ server }) {
  return html`
    <li class="row">
      <div class="what">
        <p><a href=${`/admin/servers/${server.id}`}>${server.name}</a> <span class="chip">${t(`servers.kind.${server.kind}`)}</span>
          ${server.isDefault ? html` <span class="chip">${t(`servers.default.${server.kind}`)}</span>` : null}
          ${server.enabled ? null : html` <span class="chip">${t("servers.disabled")}</span>`}
        </p>
        <p class="small muted">${server.baseUrl}</p>
        <p class="small"><${ServerState} server=${server} /> ${stateText(server)}</p>
      </div>
    </li>`;
}

/** What was approved before its server was there; the API tells the number of titles only afterwards. */
function Adopt() {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState("");
  const [error, setError] = useState(/** @type {import("../../api.js").ApiError | undefined} */ (undefined));
  const wait = useRetry(error?.code === "RATE_LIMITED" ? error : undefined, () => setError(undefined));
  const run = async () => {
    setBusy(true);
    setResult("");
    setError(undefined);
    let queued = 0;
    try {
      for (let isMore = true; isMore; ) {
        const { data } = await call("POST", "/admin/fulfilment/adopt", { body: {} });
        const answer = /** @type {Adopted} */ (data);
        queued += answer.queued;
        isMore = answer.more;
        setResult([t("servers.adopted", { count: queued }), answer.skipped ? t("servers.skipped", { count: answer.skipped }) : ""].join(" "));
      }
    } catch (caught) {
      setError(asApiError(caught));
    }
    setBusy(false);
  };
  return html`
    <p class="muted small after" id="adopt-hint">${t("servers.adoptHint")}</p>
    <div class="btns start"><${Button} busy=${busy} disabled=${wait > 0} describedBy="adopt-hint" onClick=${run}>${wait > 0 ? t("failure.retryIn", { seconds: wait }) : t("servers.adopt")}<//></div>
    <p role="status">${result}</p>
    <${Problem} error=${error} />`;
}

function Nothing() {
  return html`
    <div class="state"><${AdminIcon} name="server" />
      <h2>${t("servers.none")}</h2>
      <p>${t("servers.noneHint")}</p>
      <a class="btn primary" href="/admin/servers/new">${t("servers.add")}</a>
    </div>`;
}
