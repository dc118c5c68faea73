/**
 * The administration: its pages, and what they share. Its texts, styles and icons are loaded with it.
 */
import { AdminIcon } from "./components/admin/icon.js";
import { Heading, Page, find } from "./components/frame.js";
import { loadTexts, t } from "./i18n.js";
import { place } from "./router.js";
import { user } from "./state/session.js";
import { html, useEffect, useRef } from "./vendor/modules.js";

/** @type {import("./components/frame.js").Routes} */
const ROUTES = [
  [/^\/admin$/, () => import("./pages/admin/overview.js").then((module) => module.OverviewPage)],
  [/^\/admin\/requests$/, () => import("./pages/admin/requests.js").then((module) => module.QueuePage)],
  [/^\/admin\/users$/, () => import("./pages/admin/users.js").then((module) => module.UsersPage)],
  [/^\/admin\/users\/(?<id>[0-9a-f-]{36})$/, () => import("./pages/admin/user.js").then((module) => module.UserPage)],
  [/^\/admin\/servers$/, () => import("./pages/admin/servers.js").then((module) => module.ServersPage)],
  [/^\/admin\/servers\/(?<id>new|[0-9a-f-]{36})$/, () => import("./pages/admin/server.js").then((module) => module.ServerPage)],
  [/^\/admin\/rules$/, () => import("./pages/admin/rules.js").then((module) => module.RulesPage)],
  [/^\/admin\/jobs$/, () => import("./pages/admin/jobs.js").then((module) => module.JobsPage)],
  [/^\/admin\/audit$/, () => import("./pages/admin/audit.js").then((module) => module.AuditPage)],
  [/^\/admin\/settings$/, () => import("./pages/admin/settings.js").then((module) => module.SettingsPage)],
];

/** @type {[string, string, string][]} */
const LINKS = [
  ["/admin/requests", "inbox", "admin.nav.queue"],
  ["/admin", "chart-column", "admin.nav.overview"],
  ["/admin/users", "users", "admin.nav.users"],
  ["/admin/servers", "server", "admin.nav.servers"],
  ["/admin/rules", "route", "admin.nav.rules"],
  ["/admin/jobs", "list-checks", "admin.nav.jobs"],
  ["/admin/audit", "scroll-text", "admin.nav.audit"],
  ["/admin/settings", "settings-2", "admin.nav.settings"],
];

/** Load texts and styles, and return the component of every page below /admin. */
export async function prepare() {
  await Promise.all([loadTexts("pages"), loadTexts("admin"), loadStyles()]);
  return AdminPage;
}

function AdminPage() {
  const { path } = place.value;
  if (user.value?.role !== "admin") {
    return html`<${NotAdmin} />`;
  }
  return html`<${Sections} path=${path} />`;
}

/** @param {{path: string}} props */
function Sections({ path }) {
  const sections = useRef(/** @type {HTMLElement | null} */ (null));
  const { load, parameters } = find(ROUTES, path);
  useEffect(() => {
    // On a phone, the present section may be beyond the edge.
    const link = sections.current?.querySelector("[aria-current]");
    if (sections.current && link instanceof HTMLElement) {
      sections.current.scrollLeft = link.offsetLeft - (sections.current.clientWidth - link.offsetWidth) / 2;
    }
  }, [path]);
  return html`
    <nav class="sections scroller" ref=${sections} aria-label=${t("admin.nav.label")}>
      <ul>
        ${LINKS.map(([link, icon, key]) => html`<li key=${link}><a href=${link} aria-current=${isCurrent(link, path) ? "page" : undefined}><${AdminIcon} name=${icon} /><span>${t(key)}</span></a></li>`)}
      </ul>
    </nav>
    <${Page} load=${load} ...${parameters} />`;
}

/** In place of a page of the administration, for a user who is no admin, or no longer. */
function NotAdmin() {
  return html`
    <${Heading} hidden>${t("admin.denied.title")}<//>
    <div class="state" role="alert">
      <${AdminIcon} name="shield-x" />
      <h2>${t("admin.denied.title")}</h2>
      <p>${t("admin.denied.hint")}</p>
      <a class="btn" href="/">${t("failure.home")}</a>
    </div>`;
}

/**
 * @param {string} link
 * @param {string} path
 */
function isCurrent(link, path) {
  return path === link || (link !== "/admin" && path.startsWith(`${link}/`));
}

/** @type {Promise<unknown> | undefined} */
let styles;

function loadStyles() {
  styles = styles || new Promise((resolve, reject) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL("./styles/admin.css", import.meta.url).href;
    sheet.onload = resolve;
    sheet.onerror = () => {
      sheet.remove();
      styles = undefined;
      reject(new Error("The styles of the administration could not be loaded"));
    };
    document.head.append(sheet);
  });
  return styles;
}
