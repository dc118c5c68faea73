import { asApiError, call } from "../../api.js";
import { AdminIcon } from "../../components/admin/icon.js";
import { JobRow } from "../../components/admin/job-row.js";
import { Button } from "../../components/button.js";
import { Confirm } from "../../components/dialog.js";
import { Failure } from "../../components/failure.js";
import { Select } from "../../components/field.js";
import { Heading } from "../../components/frame.js";
import { More } from "../../components/more.js";
import { Segmented } from "../../components/segmented.js";
import { toast } from "../../components/toasts.js";
import { errorText, t } from "../../i18n.js";
import { link, navigate, place, useScroll } from "../../router.js";
import { choices, idOf, oneOf, pagesOf, unlessAll } from "../../state/filters.js";
import { useList, useLoad } from "../../state/load.js";
import { html, useState } from "../../vendor/modules.js";

/**
 * @typedef {import("../../api.js").Schemas["Job"]} Job
 * @typedef {import("../../api.js").Schemas["Server"]} Server
 * @typedef {import("../../api.js").ApiError} ApiError
 * @typedef {{state: string, kind: string, serverId: string}} Filters
 */

const STATES = ["all", "queued", "leased", "dead", "done", "cancelled"];
const KINDS = ["all", "handover", "check", "inventory"];
/** Pages of 20 that a reload reads again, at most. */
const MOST_PAGES = 25;

/** /admin/jobs: the work that is repeated until it succeeds, with filters in the URL. */
export function JobsPage() {
  const query = place.value.query;
  const filters = { state: oneOf(STATES, query.get("state")), kind: oneOf(KINDS, query.get("kind")), serverId: idOf(query, "serverId") ?? "" };
  const pages = pagesOf(query, MOST_PAGES);
  const list = useList(
    link("/admin/jobs", { state: unlessAll(filters.state), kind: unlessAll(filters.kind), serverId: filters.serverId }),
    pages,
    (/** @type {Job} */ { id }) => id,
    (page) => navigate(url(filters, page), { replace: true }),
  );
  const servers = /** @type {Server[]} */ (useLoad("/admin/servers").data ?? []);
  const [busy, setBusy] = useState(false);
  useScroll(!list.isFirst);
  /** @param {Partial<Filters>} change */
  const set = (change) => navigate(url({ ...filters, ...change }), { replace: true });
  const refresh = async () => {
    setBusy(true);
    try {
      await list.refresh();
      toast(t("jobs.refreshed"));
    } catch (caught) {
      toast(t("jobs.notRefreshed", { error: errorText(asApiError(caught)) }), { icon: "triangle-alert" });
    }
    setBusy(false);
  };
  const isFiltered = filters.state !== "all" || filters.kind !== "all" || filters.serverId !== "";
  return html`
    <div class="head"><${Heading}>${t("jobs.title")}<//>
      <${Button} icon="refresh-cw" busy=${busy} disabled=${list.isFirst} onClick=${refresh}>${t("jobs.refresh")}<//>
    </div>
    <p class="lead muted">${t("jobs.lead")}</p>
    <div class="filters">
      <div class="scroller"><${Segmented} label=${t("jobs.state")} value=${filters.state} choices=${choices("jobs.state", STATES)} onChange=${(/** @type {string} */ state) => set({ state })} /></div>
      <${Select} id="kind" label=${t("jobs.kind")} value=${filters.kind} choices=${choices("jobs.kind", KINDS)} onChange=${(/** @type {string} */ kind) => set({ kind })} />
      <${Select} id="server" label=${t("jobs.server")} value=${filters.serverId} choices=${[["", t("jobs.everyServer")], ...servers.map(({ id, name }) => [id, name])]} onChange=${(/** @type {string} */ chosen) => set({ serverId: chosen })} />
    </div>
    <${RetryAll} filters=${filters} servers=${servers} onDone=${list.reload} />
    <p class="count-line muted small" role="status">${list.isFirst ? "" : t("jobs.found", { count: list.total })}</p>
    <${Rows} list=${list} servers=${servers} state=${filters.state} isFiltered=${isFiltered} />`;
}

/** @param {{list: import("../../state/load.js").LoadedList<Job>, servers: Server[], state: string, isFiltered: boolean}} props */
function Rows({ list, servers, state, isFiltered }) {
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState({ id: "", text: "" });
  /**
   * @param {Job} job
   * @param {"retry" | "cancel"} action
   */
  const run = async (job, action) => {
    setBusy(`${action} ${job.id}`);
    setProblem({ id: "", text: "" });
    try {
      const { data } = await call("POST", `/admin/jobs/${job.id}/${action}`);
      const now = /** @type {Job} */ (data);
      // A dead job gives way to a newer one of the same title, which may be in the list already.
      list.update((jobs) => jobs.filter(({ id }) => id === job.id || id !== now.id).map((each) => (each.id === job.id ? now : each)), leaving(state, job, now));
      toast(t(action === "retry" ? "jobs.retried" : "jobs.cancelled"));
    } catch (caught) {
      const error = asApiError(caught);
      setProblem({ id: job.id, text: await explain(error, job, list, state) });
    }
    setBusy("");
  };
  if (list.isFirst && list.error) {
    return html`<${Failure} error=${list.error} retry=${list.retry} />`;
  }
  if (list.isFirst) {
    return html`<ul class="rows" aria-busy="true">${[0, 1, 2, 3].map((key) => html`<li class="row" key=${key} aria-hidden="true"><div class="what card"><span class="line skel"></span><span class="line skel"></span></div></li>`)}</ul>`;
  }
  if (list.items.length === 0 && !list.hasNext) {
    return html`
      <div class="state"><${AdminIcon} name="list-checks" />
        <h2>${t(isFiltered ? "jobs.noneOfThese" : "jobs.none")}</h2>
        <p>${t(isFiltered ? "jobs.noneOfTheseHint" : "jobs.noneHint")}</p>
        ${isFiltered ? html`<a class="btn" href="/admin/jobs">${t("jobs.showAll")}</a>` : null}
      </div>`;
  }
  const names = new Map(servers.map(({ id, name }) => [id, name]));
  return html`
    <ul class="rows jobs">${list.items.map((job) => html`<${JobRow} key=${job.id} job=${job} serverName=${names.get(job.serverId ?? "")} busy=${busy} problem=${problem.id === job.id ? problem.text : ""} onAction=${(/** @type {"retry" | "cancel"} */ action) => run(job, action)} />`)}</ul>
    <${More} list=${list} most=${MOST_PAGES} />`;
}

/**
 * All dead jobs that the filters of kind and server let through; the state's filter is no matter.
 *
 * @param {{filters: Filters, servers: Server[], onDone: () => void}} props
 */
function RetryAll({ filters, servers, onDone }) {
  const { kind, serverId } = filters;
  const dead = useList(link("/admin/jobs", { state: "dead", kind: unlessAll(kind), serverId, limit: 1 }), 1, (/** @type {Job} */ { id }) => id, () => undefined);
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const { data } = await call("POST", "/admin/jobs/retry", { body: { ...(kind === "all" ? {} : { kind }), ...(serverId ? { serverId } : {}) } });
      const { retried, more } = /** @type {{retried: number, more: boolean}} */ (data);
      setOpen(false);
      toast(`${t("jobs.retriedMany", { count: retried })}${more ? ` ${t("jobs.retriedMore")}` : ""}`);
      dead.reload();
      onDone();
    } catch (caught) {
      setError(asApiError(caught));
    }
    setBusy(false);
  };
  if (dead.total === 0) {
    return null;
  }
  const scope = [kind === "all" ? "" : t(`jobs.kind.${kind}`), servers.find(({ id }) => id === serverId)?.name ?? ""].filter(Boolean).join(", ");
  return html`
    <div class="note dead"><${AdminIcon} name="circle-x" /><span>${t("jobs.dead", { count: dead.total })}${scope ? ` (${scope})` : ""}</span>
      <${Button} onClick=${() => { setError(undefined); setOpen(true); }}>${t("jobs.retryAll")}<//></div>
    ${open
      ? html`<${Confirm} title=${t("jobs.retryAllTitle", { count: dead.total })} action=${t("jobs.retryAll")} busy=${busy} onConfirm=${run} onClose=${() => setOpen(false)} error=${error}>
          <p>${scope ? t("jobs.retryAllScope", { scope }) : t("jobs.retryAllEvery")}</p><p class="muted">${t("jobs.retryAllHint")}</p><//>`
      : null}`;
}

/**
 * Say why an action was refused, and show what the job has become meanwhile.
 *
 * @param {ApiError} error
 * @param {Job} job
 * @param {import("../../state/load.js").LoadedList<Job>} list
 * @param {string} state
 */
async function explain(error, job, list, state) {
  if (error.code !== "INVALID_STATE" && error.code !== "NOT_FOUND") {
    return errorText(error);
  }
  try {
    const { data } = await call("GET", `/admin/jobs/${job.id}`);
    const now = /** @type {Job} */ (data);
    list.update((jobs) => jobs.map((each) => (each.id === job.id ? now : each)), leaving(state, job, now));
    return t("jobs.meanwhile", { state: t(`jobs.now.${now.state}`) });
  } catch (caught) {
    return asApiError(caught).code === "NOT_FOUND" ? t("jobs.gone") : errorText(error);
  }
}

/**
 * Return by how many jobs the service's list of a state gets shorter.
 *
 * @param {string} state
 * @param {Job} before
 * @param {Job} now
 */
function leaving(state, before, now) {
  return Number(before.state === state) - Number(now.state === state);
}

/**
 * @param {Filters} filters
 * @param {number} [page]
 */
function url({ state, kind, serverId }, page) {
  return link("/admin/jobs", { state: unlessAll(state), kind: unlessAll(kind), serverId, page });
}
