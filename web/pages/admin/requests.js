import { Bulk, BulkResult, Tools } from "../../components/admin/bulk.js";
import { AdminIcon } from "../../components/admin/icon.js";
import { useQueueKeys } from "../../components/admin/queue-keys.js";
import { QueueRow } from "../../components/admin/queue-row.js";
import { ReasonDialog } from "../../components/admin/reason-dialog.js";
import { RequestDialog } from "../../components/admin/request-dialog.js";
import { ShortcutHelp, areOn } from "../../components/admin/shortcut-help.js";
import { Button } from "../../components/button.js";
import { Failure } from "../../components/failure.js";
import { Select } from "../../components/field.js";
import { Heading } from "../../components/frame.js";
import { Icon } from "../../components/icon.js";
import { More } from "../../components/more.js";
import { RowSkeleton } from "../../components/request-row.js";
import { Segmented } from "../../components/segmented.js";
import { endSearch, useShortcuts } from "../../components/shortcuts.js";
import { WindowedList } from "../../components/windowed-list.js";
import { language, t } from "../../i18n.js";
import { link, navigate, place, useScroll } from "../../router.js";
import { useDecisions } from "../../state/admin/decisions.js";
import { choices, idOf, oneOf, pagesOf, unlessAll } from "../../state/filters.js";
import { useList, useLoad } from "../../state/load.js";
import { accept, waiting } from "../../state/queue.js";
import { useSettled } from "../../state/settled.js";
import { html, useEffect, useRef } from "../../vendor/modules.js";

/**
 * @typedef {import("../../api.js").Schemas} Schemas
 * @typedef {Schemas["AdminRequest"]} AdminRequest
 * @typedef {import("../../state/admin/decisions.js").Action} Action
 * @typedef {import("../../state/admin/decisions.js").Decisions} Decisions
 * @typedef {import("../../state/load.js").LoadedList<AdminRequest>} RequestList
 */

/** @type {["pending", "approved", "declined", "all"]} */
const TABS = ["pending", "approved", "declined", "all"];
const TYPES = ["all", "movie", "tv"];
const SORTS = ["-requestedAt", "requestedAt", "title", "-title"];
const PER_CALL = 100;
const MOST_PAGES = 100;
/** Height of a row with a comment on a desktop, in pixels. */
const ROW = 109;

/** /admin/requests: the queue. */
export function QueuePage() {
  const filters = filtersOf(place.value.query);
  const search = useSettled(filters.search.trim());
  const shared = { mediaType: unlessAll(filters.type), search, userId: filters.userId };
  const path = link("/admin/requests", { ...shared, status: unlessAll(filters.status), sort: filters.sort, limit: PER_CALL });
  const list = /** @type {RequestList} */ (useList(path, filters.page, identify, (page) => navigate(url({ ...filters, page }), { replace: true })));
  const load = useLoad(link("/admin/requests/counts", shared));
  const counts = /** @type {Schemas["RequestCounts"] | undefined} */ (load.data);
  useScroll(!list.isFirst);
  useWaiting(counts, load.retry, !shared.mediaType && !search && !filters.userId);
  /** @param {Partial<Filters>} change */
  const set = (change) => {
    navigate(url({ ...filters, page: 1, ...change }), { replace: true });
    if (!("search" in change)) {
      // The list is read again as well.
      load.retry();
    }
  };
  /** @param {Partial<Schemas["RequestCounts"]>} changes By how much each number changes */
  const adjust = (changes) =>
    load.set((/** @type {any} */ now) => {
      if (now !== counts) {
        // They were read or changed since the decision was sent, and may have it already.
        load.retry();
        return now;
      }
      return { ...now, ...Object.fromEntries(TABS.map((tab) => [tab, now[tab] + (changes[tab] ?? 0)])) };
    });
  return html`
    <div class="head"><${Heading}>${t("queue.title")}<//></div>
    <${FilterBar} filters=${filters} counts=${counts} onChange=${set} />
    <p class="vh" role="status">${list.isFirst ? "" : t("requests.found", { count: list.total })}</p>
    <${Changed} list=${list} counts=${load.isLoading ? undefined : counts} status=${filters.status} onRefresh=${() => { list.reload(); load.retry(); }} />
    <${Requests} key=${path} list=${list} filters=${filters} adjust=${adjust} recount=${load.retry} />`;
}

/**
 * @param {{filters: Filters, counts: Schemas["RequestCounts"] | undefined, onChange: (change: object) => void}} props
 */
function FilterBar({ filters, counts, onChange }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useShortcuts(areOn.value ? { "/": () => field.current?.focus() } : {});
  const tabs = TABS.map((tab) => [tab, t(`queue.tab.${tab}`), counts ? counts[tab] : undefined]);
  return html`
    <form class="find queue-find" role="search" onSubmit=${endSearch}>
      <label class="vh" for="queue-search">${t("queue.search")}</label>
      <${Icon} name="search" />
      <input ref=${field} id="queue-search" type="search" value=${filters.search} placeholder=${t("queue.searchHint")} maxlength="100" autocomplete="off" enterkeyhint="search"
        onInput=${(/** @type {any} */ event) => onChange({ search: event.currentTarget.value })} />
      <kbd class="kbd" aria-hidden="true">/</kbd>
    </form>
    <div class="filters">
      <div class="scroller"><${Segmented} label=${t("queue.tabs")} value=${filters.status} choices=${tabs} onChange=${(/** @type {string} */ status) => onChange({ status })} /></div>
      <${Select} id="type" label=${t("requests.type")} value=${filters.type} choices=${choices("search", TYPES)} onChange=${(/** @type {string} */ type) => onChange({ type })} />
      <${Select} id="sort" label=${t("requests.sort")} value=${filters.sort} choices=${choices("sort", SORTS)} onChange=${(/** @type {string} */ sort) => onChange({ sort })} />
      ${filters.userId ? html`<${OneRequester} id=${filters.userId} onAll=${() => onChange({ userId: undefined })} />` : null}
    </div>`;
}

/** @param {{id: string, onAll: () => void}} props */
function OneRequester({ id, onAll }) {
  const { data } = useLoad(`/admin/users/${id}`);
  const person = /** @type {Schemas["AdminUser"] | undefined} */ (data);
  return html`<span class="chosen"><span>${person ? t("queue.of", { name: person.username }) : "…"}</span><${Button} class="bare" label=${t("queue.ofAll")} onClick=${onAll}><${Icon} name="x" /><//></span>`;
}

/**
 * Offer to read the list again when requests have come or gone meanwhile: a list that changes under
 * the finger makes one approve the wrong request.
 *
 * @param {{list: RequestList, counts: Schemas["RequestCounts"] | undefined, status: keyof Schemas["RequestCounts"], onRefresh: () => void}} props
 */
function Changed({ list, counts, status, onRefresh }) {
  const isOld = !list.isFirst && !list.isLoading && counts !== undefined && counts[status] !== list.total;
  return html`<div role="status">${isOld ? html`<p class="note info"><${Icon} name="info" /><span>${t("queue.changed")}</span><${Button} onClick=${onRefresh}>${t("queue.refresh")}<//></p>` : null}</div>`;
}

/**
 * @param {{list: RequestList, filters: Filters, adjust: (changes: Partial<Schemas["RequestCounts"]>) => void, recount: () => void}} props
 */
function Requests({ list, filters, adjust, recount }) {
  const queue = useDecisions(list, filters.status, adjust, recount);
  useQueueKeys(queue);
  const rows = useRef(new Map());
  if (list.isFirst) {
    return list.error
      ? html`<${Failure} error=${list.error} retry=${list.retry} />`
      : html`<ul class="rows" aria-busy="true">${Array.from({ length: 6 }, (_, index) => html`<${RowSkeleton} key=${index} />`)}</ul>`;
  }
  const isFiltered = filters.search !== "" || filters.type !== "all" || filters.userId !== undefined;
  return html`
    <${BulkResult} result=${queue.result} onClose=${queue.clearResult} />
    ${list.items.length === 0 && !list.hasNext
      ? html`<div class="state"><${AdminIcon} name="inbox" /><h2>${t(isFiltered || filters.status !== "pending" ? "queue.none" : "queue.empty")}</h2><p>${t(isFiltered ? "queue.noneHint" : "queue.emptyHint")}</p></div>`
      : html`
        <${Tools} selection=${queue.selection} onHelp=${() => queue.open({ kind: "help", ids: [] })} />
        <${WindowedList} class="rows queue" items=${list.items} row=${(/** @type {AdminRequest} */ request) => cachedRow(rows.current, request, queue)} height=${ROW} />
        <${More} list=${list} most=${MOST_PAGES} />`}
    <${Bulk} queue=${queue} />
    <${Dialogs} queue=${queue} />`;
}

/**
 * Return the element of a row, the same one as before while nothing of it has changed: thousands of
 * rows then cost little to draw again.
 *
 * @param {Map<string, {inputs: unknown[], row: any}>} rows
 * @param {AdminRequest} request
 * @param {Decisions} queue
 */
function cachedRow(rows, request, queue) {
  const { id } = request;
  const isSelected = queue.selection.has(id);
  const busy = queue.busy.id === id ? queue.busy.action : "";
  const refusal = queue.refusals.get(id);
  const inputs = [request, isSelected, busy, refusal, language.value];
  const before = rows.get(id);
  if (before && before.inputs.every((input, index) => input === inputs[index])) {
    return before.row;
  }
  const row = html`<${QueueRow} key=${id} request=${request} isSelected=${isSelected} busy=${busy} refusal=${refusal} onSelect=${queue.select} onAct=${queue.run} />`;
  rows.set(id, { inputs, row });
  return row;
}

/** @param {{queue: Decisions}} props */
function Dialogs({ queue }) {
  const { opened } = queue;
  const close = () => queue.open(null);
  if (!opened) {
    return null;
  }
  if (opened.kind === "help") {
    return html`<${ShortcutHelp} onClose=${close} />`;
  }
  const requests = opened.ids.flatMap((id) => queue.find(id) ?? []);
  const [request] = requests;
  if (!request) {
    return null;
  }
  if (opened.kind === "more") {
    return html`<${RequestDialog} request=${request} busy=${queue.busy.action} error=${queue.error} onClose=${close}
      onAct=${(/** @type {Action} */ action, /** @type {object} */ body) => queue.send(request, action, body)} onWithdraw=${() => queue.open({ kind: "withdraw", ids: [request.id] })} />`;
  }
  const isWithdrawal = opened.kind === "withdraw";
  const title = isWithdrawal
    ? t("queue.withdrawTitle", { title: request.title })
    : requests.length === 1
      ? t("queue.declineTitle", { title: request.title })
      : t("queue.declineTitleMany", { count: requests.length });
  const done = async (/** @type {string} */ reason, /** @type {() => void} */ drop) => {
    const taken =
      requests.length > 1
        ? await queue.decide(opened.ids, { decision: "decline", reason })
        : await queue.send(request, isWithdrawal ? "withdraw" : "decline", { reason });
    if (taken) {
      drop();
    }
  };
  return html`<${ReasonDialog} title=${title} action=${t(isWithdrawal ? "queue.withdraw" : "queue.decline")} hint=${isWithdrawal ? t("queue.withdrawHint") : undefined}
    busy=${queue.busy.action !== "" || queue.progress !== null} error=${queue.error} onReason=${done} onClose=${close} />`;
}

/**
 * Tell the navigation the number of waiting requests, and read the numbers again when it has heard of
 * another one.
 *
 * @param {Schemas["RequestCounts"] | undefined} counts
 * @param {() => void} retry
 * @param {boolean} isAll Whether the numbers are those of all requests
 */
function useWaiting(counts, retry, isAll) {
  useEffect(() => {
    if (counts && isAll) {
      accept(counts);
    }
  }, [counts]);
  const heard = waiting.value;
  useEffect(() => {
    if (heard !== null && counts && isAll && heard !== counts.pending) {
      retry();
    }
  }, [heard]);
}

/** @typedef {ReturnType<typeof filtersOf>} Filters */

/** @param {URLSearchParams} query */
function filtersOf(query) {
  return {
    status: TABS.find((tab) => tab === query.get("status")) ?? "pending",
    type: oneOf(TYPES, query.get("type")),
    sort: oneOf(SORTS, query.get("sort")),
    search: query.get("search") ?? "",
    userId: idOf(query, "userId"),
    page: pagesOf(query, MOST_PAGES),
  };
}

/** @param {Filters} filters */
function url({ status, type, sort, search, userId, page }) {
  return link("/admin/requests", {
    status: status === "pending" ? undefined : status,
    type: unlessAll(type),
    sort: sort === SORTS[0] ? undefined : sort,
    search,
    userId,
    page: page > 1 ? page : undefined,
  });
}

/** @param {AdminRequest} request */
function identify(request) {
  return request.id;
}
