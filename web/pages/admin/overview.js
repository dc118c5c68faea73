import { AdminIcon } from "../../components/admin/icon.js";
import { Bars } from "../../components/admin/bars.js";
import { Donut } from "../../components/admin/donut.js";
import { ServerState } from "../../components/admin/server-state.js";
import { number } from "../../components/admin/units.js";
import { Failure } from "../../components/failure.js";
import { Heading } from "../../components/frame.js";
import { Icon } from "../../components/icon.js";
import { dateTime, relative, t } from "../../i18n.js";
import { useScroll } from "../../router.js";
import { useList, useLoad } from "../../state/load.js";
import { html } from "../../vendor/modules.js";

/**
 * @typedef {import("../../api.js").Schemas} Schemas
 * @typedef {Schemas["Stats"]} Stats
 * @typedef {Schemas["Health"]} Health
 * @typedef {Schemas["Server"]} Server
 */

/** /admin: how the service goes. */
export function OverviewPage() {
  const { data, error, retry } = useLoad("/admin/stats");
  const stats = /** @type {Stats | undefined} */ (data);
  const service = useService();
  useScroll(stats !== undefined);
  // All at once, so that nothing moves while the rest arrives.
  const isComplete = (stats || error) && service.isComplete;
  return html`
    <div class="head"><${Heading}>${t("overview.title")}<//><p class="muted small counted">${stats ? t("overview.counted", { time: dateTime(stats.generatedAt) }) : "\u00a0"}</p></div>
    ${isComplete
      ? html`
        ${error && !stats ? html`<${Failure} error=${error} retry=${retry} />` : null}
        ${stats ? html`<${Numbers} stats=${stats} />` : null}
        <div class="boards">
          ${stats ? html`<${Requests} stats=${stats} />` : null}
          <${State} service=${service} />
          ${stats ? html`<${Top} stats=${stats} />` : null}
        </div>`
      : html`<div class="tiles" aria-hidden="true" aria-busy="true">${[0, 1, 2, 3].map((key) => html`<div key=${key} class="tile skel"></div>`)}</div>`}`;
}

/** @param {{stats: Stats}} props */
function Numbers({ stats: { requests, users, sessions } }) {
  const waiting = requests.oldestPendingAt ? t("overview.oldest", { when: relative(requests.oldestPendingAt) }) : t("overview.nothingWaits");
  return html`
    <ul class="tiles">
      <${Tile} link="/admin/requests" value=${requests.pending} label=${t("overview.pending")} hint=${waiting} />
      <${Tile} value=${requests.last7Days} label=${t("overview.week")} hint=${t("overview.month", { count: requests.last30Days })} />
      <${Tile} link="/admin/users" value=${users.active} label=${t("overview.users")} hint=${t("overview.usersHint", { admins: users.admins, suspended: users.suspended })} />
      <${Tile} value=${sessions.active} label=${t("overview.sessions")} hint=${t("overview.kinds", { movies: requests.movies, shows: requests.shows })} />
    </ul>`;
}

/** @param {{link?: string, value: number, label: string, hint: string}} props */
function Tile({ link, value, label, hint }) {
  return html`
    <li class="tile">
      <p>${link ? html`<a href=${link}>${label}</a>` : label}</p>
      <p class="figure">${number(value)}</p>
      <p class="small muted">${hint}</p>
    </li>`;
}

/** @param {{stats: Stats}} props */
function Requests({ stats: { requests, requestsByDay } }) {
  const parts = /** @type {const} */ (["pending", "approved", "declined"]).map((key) => ({ key, label: t(`overview.status.${key}`), count: requests[key] }));
  return html`
    <section class="board wide"><h2>${t("overview.byDay")}</h2><${Bars} label=${t("overview.byDay")} days=${requestsByDay} /></section>
    <section class="board"><h2>${t("overview.byStatus")}</h2><${Donut} label=${t("overview.byStatus")} parts=${parts} heads=${[t("overview.state"), t("overview.requests")]} /></section>`;
}

/** @param {{stats: Stats}} props */
function Top({ stats: { topRequesters } }) {
  return html`
    <section class="board">
      <h2>${t("overview.top")}</h2>
      ${topRequesters.length === 0 ? html`<p class="muted">${t("overview.nobody")}</p>` : null}
      <ol class="top">${topRequesters.map(({ userId, username, requests }) => html`<li key=${userId}><a href=${`/admin/users/${userId}`}>${username}</a><span class="muted small">${t("overview.asked", { count: requests })}</span></li>`)}</ol>
    </section>`;
}

/** The state of the parts of the service, as far as it is known. */
function useService() {
  const healthLoad = useLoad("/health");
  const health = /** @type {Health | undefined} */ (healthLoad.data);
  const serversLoad = useLoad("/admin/servers");
  const servers = /** @type {Server[] | undefined} */ (serversLoad.data);
  const dead = useList("/admin/jobs?state=dead&limit=1", 1, (/** @type {Schemas["Job"]} */ { id }) => id, () => undefined);
  const error = healthLoad.error || serversLoad.error || dead.error;
  const isComplete = Boolean((health || healthLoad.error) && (servers || serversLoad.error) && (!dead.isFirst || dead.error));
  const retry = () => [healthLoad, serversLoad, dead].forEach((load) => load.error && load.retry());
  return { health, servers, dead, error, isComplete, retry };
}

/**
 * Database and cache, servers, jobs and TMDB, each with what can be said of it.
 *
 * @param {{service: ReturnType<typeof useService>}} props
 */
function State({ service: { health, servers, dead, error, retry } }) {
  return html`
    <section class="board">
      <h2>${t("overview.health")}</h2>
      ${error ? html`<${Failure} error=${error} retry=${retry} level=${3} />` : null}
      <dl class="checks">
        ${health
          ? html`
            <${Check} symbol="database" name=${t("overview.database")} isGood=${health.checks.database.status === "healthy"} text=${latency(health.checks.database)} />
            ${health.checks.cache.status === "none" ? null : html`<${Check} symbol="activity" name=${t("overview.cache")} isGood=${health.checks.cache.status === "healthy"} text=${latency(health.checks.cache)} />`}`
          : null}
        ${(servers ?? []).map((server) => html`<div key=${server.id}><dt><${AdminIcon} name="server" /><a href=${`/admin/servers/${server.id}`}>${server.name}</a></dt><dd><${ServerState} server=${server} /></dd></div>`)}
        ${servers && servers.length === 0 ? html`<div><dt><${AdminIcon} name="server" /><span>${t("servers.title")}</span></dt><dd><a href="/admin/servers">${t("servers.none")}</a></dd></div>` : null}
        ${dead.isFirst ? null : html`<div><dt><${AdminIcon} name="list-checks" /><span>${t("overview.dead")}</span></dt><dd>${dead.total ? html`<a href="/admin/jobs?state=dead">${t("overview.deadCount", { count: dead.total })}</a>` : t("overview.noDead")}</dd></div>`}
        <div><dt><${Icon} name="download" />TMDB</dt><dd class="small">${t("overview.tmdb")} <a href="/search">${t("overview.tmdbTry")}</a></dd></div>
      </dl>
    </section>`;
}

/** @param {{symbol: string, name: string, isGood: boolean, text: string}} props */
function Check({ symbol, name, isGood, text }) {
  return html`<div><dt><${AdminIcon} name=${symbol} /><span>${name}</span></dt><dd><span class=${`badge ${isGood ? "approved" : "declined"}`}><${AdminIcon} name=${isGood ? "circle-check" : "circle-x"} />${t(isGood ? "overview.good" : "overview.bad")}</span> <span class="muted small">${text}</span></dd></div>`;
}

/** @param {Schemas["Check"]} check */
function latency({ latencyMs }) {
  return t("overview.latency", { milliseconds: number(latencyMs, 1) });
}
