import { AdminIcon } from "../../components/admin/icon.js";
import { PersonField } from "../../components/admin/person-field.js";
import { nameOf } from "../../components/admin/setting-form.js";
import { Failure } from "../../components/failure.js";
import { Select } from "../../components/field.js";
import { Heading } from "../../components/frame.js";
import { More } from "../../components/more.js";
import { RowSkeleton } from "../../components/request-row.js";
import { dateTime, relative, t } from "../../i18n.js";
import { link, navigate, place, useScroll } from "../../router.js";
import { idOf, pagesOf } from "../../state/filters.js";
import { useList, useLoad } from "../../state/load.js";
import { html } from "../../vendor/modules.js";

/**
 * @typedef {import("../../api.js").Schemas["AuditLog"]} AuditLog
 * @typedef {import("../../state/load.js").LoadedList<AuditLog>} AuditList
 */

/** The actions that the service records. */
const ACTIONS = [
  "auth.sign_in", "auth.sign_in_failed", "auth.sign_out", "auth.password_changed", "auth.password_failed", "session.refreshed", "session.revoked",
  "access.denied", "limit.exceeded", "user.created", "user.changed", "user.deleted", "request.created", "request.approved", "request.declined",
  "request.cancelled", "request.retried", "request.withdrawn", "fulfilment.adopted", "job.retried", "job.cancelled", "config.changed",
  "server.created", "server.changed", "server.deleted", "server.tested", "routing_rules.changed",
];
const MOST_PAGES = 100;

/** /admin/audit: each action in a sentence, with its raw details on demand. */
export function AuditPage() {
  const filters = filtersOf(place.value.query);
  const isReversed = filters.from !== "" && filters.to !== "" && filters.to < filters.from;
  const list = /** @type {AuditList} */ (
    useList(
      isReversed ? null : link("/admin/audit-logs", { userId: filters.userId, action: filters.action, from: startOf(filters.from, 0), to: startOf(filters.to, 1), limit: 50 }),
      filters.page,
      ({ id }) => id,
      (page) => navigate(url({ ...filters, page }), { replace: true }),
    )
  );
  useScroll(!list.isFirst);
  /** @param {Partial<typeof filters>} change */
  const set = (change) => navigate(url({ ...filters, page: 1, ...change }), { replace: true });
  return html`
    <div class="head"><${Heading}>${t("audit.title")}<//></div>
    <div class="audit-filters">
      <${Person} id=${filters.userId} onChange=${(/** @type {{id: string} | null} */ person) => set({ userId: person?.id })} />
      <${Select} id="action" label=${t("audit.action")} value=${filters.action ?? ""} choices=${[["", t("audit.every")], ...ACTIONS.map((each) => [each, t(`audit.name.${each}`)])]} onChange=${(/** @type {string} */ action) => set({ action: action || undefined })} />
      <${Day} id="from" label=${t("audit.from")} value=${filters.from} onChange=${(/** @type {string} */ from) => set({ from })} />
      <${Day} id="to" label=${t("audit.to")} value=${filters.to} problem=${isReversed ? t("audit.reversed") : undefined} onChange=${(/** @type {string} */ to) => set({ to })} />
    </div>
    <p class="vh" role="status">${list.isFirst ? "" : t("audit.found", { count: list.total })}</p>
    ${isReversed ? null : html`<${Rows} list=${list} />`}`;
}

/** @param {{id: string | undefined, onChange: (person: {id: string} | null) => void}} props */
function Person({ id, onChange }) {
  return id
    ? html`<${Known} id=${id} onChange=${onChange} />`
    : html`<${PersonField} id="person" label=${t("audit.person")} value=${null} onChange=${onChange} />`;
}

/** @param {{id: string, onChange: (person: {id: string} | null) => void}} props */
function Known({ id, onChange }) {
  const { data, error } = useLoad(`/admin/users/${id}`);
  const username = /** @type {{username: string} | undefined} */ (data)?.username ?? (error ? t("audit.unknownPerson") : "…");
  return html`<${PersonField} id="person" label=${t("audit.person")} value=${{ id, username }} onChange=${onChange} />`;
}

/** @param {{id: string, label: string, value: string, problem?: string | undefined, onChange: (day: string) => void}} props */
function Day({ id, label, value, problem, onChange }) {
  return html`
    <div class="field"><label class="name" for=${id}>${label}</label>
      <input class="day" id=${id} type="date" value=${value} placeholder="2026-01-31" aria-invalid=${problem ? "true" : undefined} aria-describedby=${problem ? `${id}-problem` : undefined}
        onChange=${(/** @type {any} */ event) => onChange(isDay(event.currentTarget.value) ? event.currentTarget.value : "")} />
      <span class="problem" id=${`${id}-problem`} role="status">${problem}</span>
    </div>`;
}

/** @param {{list: AuditList}} props */
function Rows({ list }) {
  if (list.isFirst) {
    return list.error
      ? html`<${Failure} error=${list.error} retry=${list.retry} />`
      : html`<ul class="rows" aria-busy="true">${Array.from({ length: 8 }, (_, index) => html`<${RowSkeleton} key=${index} />`)}</ul>`;
  }
  if (list.items.length === 0) {
    return html`<div class="state"><${AdminIcon} name="scroll-text" /><h2>${t("audit.none")}</h2><p>${t("audit.noneHint")}</p></div>`;
  }
  return html`
    <ul class="rows">${list.items.map((row) => html`<li class="row" key=${row.id}><${Row} row=${row} /></li>`)}</ul>
    <${More} list=${list} most=${MOST_PAGES} />`;
}

/** @param {{row: AuditLog}} props */
function Row({ row }) {
  return html`
    <div class="what">
      <p>${sentence(row)}</p>
      <details>
        <summary class="small muted"><time datetime=${row.createdAt} title=${dateTime(row.createdAt)}>${relative(row.createdAt)}</time> · ${t("audit.details")}</summary>
        <dl class="facts-list small">
          <div><dt>${t("audit.time")}</dt><dd>${dateTime(row.createdAt)}</dd></div>
          <div><dt>${t("audit.address")}</dt><dd>${row.ip}</dd></div>
          <div><dt>${t("audit.client")}</dt><dd>${row.userAgent}</dd></div>
          <div><dt>${t("audit.call")}</dt><dd>${row.requestId}</dd></div>
          ${row.targetId ? html`<div><dt>${t("audit.target")}</dt><dd>${row.targetType}: ${row.targetId}</dd></div>` : null}
        </dl>
        ${Object.keys(row.details ?? {}).length ? html`<pre class="raw" tabindex="0">${JSON.stringify(row.details, null, 2)}</pre>` : null}
      </details>
    </div>`;
}

/**
 * Return an action as a sentence; one of a later release is shown by its code.
 *
 * @param {AuditLog} row
 */
export function sentence({ action, userId, userName, targetName, targetId, details }) {
  const facts = details ?? {};
  const name = userName ?? t("audit.somebody");
  const setting = action === "config.changed" && targetId ? nameOf(targetId) : undefined;
  const target = setting ?? targetName ?? textOf(facts["title"]) ?? textOf(facts["username"]) ?? textOf(facts["name"]) ?? targetId ?? t("audit.something");
  if (!ACTIONS.includes(action)) {
    return t("audit.unknown", { name, action });
  }
  if (action === "request.approved" && facts["auto"] === true) {
    return t("audit.sentence.automatic", { name, target });
  }
  if (action === "session.revoked" && targetId === userId) {
    return t("audit.sentence.ownSessions", { name });
  }
  return t(`audit.sentence.${action}`, { name, target });
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === "string" ? value : undefined;
}

/** @param {URLSearchParams} query */
function filtersOf(query) {
  return {
    userId: idOf(query, "userId"),
    action: ACTIONS.find((each) => each === query.get("action")),
    from: isDay(query.get("from")) ? (query.get("from") ?? "") : "",
    to: isDay(query.get("to")) ? (query.get("to") ?? "") : "",
    page: pagesOf(query, MOST_PAGES),
  };
}

/** @param {ReturnType<typeof filtersOf>} filters */
function url({ page, ...filters }) {
  return link("/admin/audit", { ...filters, page: page > 1 ? page : undefined });
}

/** @param {string | null} text */
function isDay(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && !Number.isNaN(new Date(`${text}T00:00`).getTime());
}

/**
 * Return the start of a day in the user's time zone, or of a later one, as the API takes it.
 *
 * @param {string} day
 * @param {number} later
 */
function startOf(day, later) {
  if (!day) {
    return undefined;
  }
  const time = new Date(`${day}T00:00`);
  time.setDate(time.getDate() + later);
  return time.toISOString();
}
