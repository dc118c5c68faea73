import { asApiError } from "../api.js";
import { Failure } from "../components/failure.js";
import { Select } from "../components/field.js";
import { Heading } from "../components/frame.js";
import { Icon } from "../components/icon.js";
import { More } from "../components/more.js";
import { RequestRow, RowSkeleton } from "../components/request-row.js";
import { Segmented } from "../components/segmented.js";
import { errorText, t } from "../i18n.js";
import { link, navigate, place, useScroll } from "../router.js";
import { cancel } from "../state/ask.js";
import { choices, oneOf, pagesOf, unlessAll } from "../state/filters.js";
import { useList } from "../state/load.js";
import { toast } from "../components/toasts.js";
import { html, useRef, useState } from "../vendor/modules.js";

/** @typedef {import("../api.js").Schemas["MediaRequest"]} MediaRequest */

const STATUSES = ["all", "pending", "approved", "declined"];
const TYPES = ["all", "movie", "tv"];
const SORTS = ["-requestedAt", "requestedAt", "title", "-title"];
const MOST_PAGES = 50;

/** /requests: the user's own, with filter and sort in the URL. */
export function RequestsPage() {
  const query = place.value.query;
  const filters = {
    status: oneOf(STATUSES, query.get("status")),
    type: oneOf(TYPES, query.get("type")),
    sort: oneOf(SORTS, query.get("sort")),
  };
  const pages = pagesOf(query, MOST_PAGES);
  const list = useList(
    link("/media/requests", { status: unlessAll(filters.status), mediaType: unlessAll(filters.type), sort: filters.sort }),
    pages,
    identify,
    (page) => navigate(url({ ...filters, page }), { replace: true }),
  );
  useScroll(!list.isFirst);
  /** @param {Partial<typeof filters>} change */
  const set = (change) => navigate(url({ ...filters, ...change }), { replace: true });
  return html`
    <div class="head"><${Heading}>${t("requests.title")}<//></div>
    <div class="filters">
      <div class="scroller"><${Segmented} label=${t("requests.status")} value=${filters.status} choices=${choices("requests.filter", STATUSES)} onChange=${(/** @type {string} */ status) => set({ status })} /></div>
      <${Select} id="type" label=${t("requests.type")} value=${filters.type} choices=${choices("search", TYPES)} onChange=${(/** @type {string} */ type) => set({ type })} />
      <${Select} id="sort" label=${t("requests.sort")} value=${filters.sort} choices=${choices("sort", SORTS)} onChange=${(/** @type {string} */ sort) => set({ sort })} />
    </div>
    <p class="vh" role="status">${list.isFirst ? "" : t("requests.found", { count: list.total })}</p>
    <${Rows} list=${list} filtered=${filters.status !== "all" || filters.type !== "all"} />`;
}

/** @param {{list: import("../state/load.js").LoadedList<MediaRequest>, filtered: boolean}} props */
function Rows({ list, filtered }) {
  const [busy, setBusy] = useState("");
  // Another filter may be chosen before the answer.
  const latest = useRef(list);
  latest.current = list;
  /** @param {MediaRequest} made */
  const onAgain = (made) => {
    list.update((items) => [made, ...items]);
    if (latest.current.path !== list.path) {
      latest.current.reload();
    }
  };
  /** @param {MediaRequest} request */
  const run = async (request) => {
    setBusy(request.id);
    try {
      await cancel(request, onAgain);
      latest.current.update((items) => items.filter(({ id }) => id !== request.id));
    } catch (caught) {
      toast(t("requests.notCancelled", { title: request.title, error: errorText(asApiError(caught)) }), { icon: "triangle-alert" });
      list.reload();
    }
    setBusy("");
  };
  if (list.isFirst && list.error) {
    return html`<${Failure} error=${list.error} retry=${list.retry} />`;
  }
  if (list.isFirst) {
    return html`<ul class="rows" aria-busy="true">${Array.from({ length: 6 }, (_, index) => html`<${RowSkeleton} key=${index} />`)}</ul>`;
  }
  if (list.items.length === 0 && !list.hasNext) {
    return html`
      <div class="state"><${Icon} name="ticket" />
        <h2>${t(filtered ? "requests.noneOfThese" : "requests.none")}</h2>
        <p>${t(filtered ? "requests.noneOfTheseHint" : "requests.noneHint")}</p>
        <a class="btn primary" href=${filtered ? "/requests" : "/search"}>${t(filtered ? "requests.showAll" : "requests.search")}</a>
      </div>`;
  }
  return html`
    <ul class="rows">${list.items.map((request) => html`<${RequestRow} key=${request.id} request=${request} busy=${busy === request.id} onCancel=${() => run(request)} />`)}</ul>
    <${More} list=${list} most=${MOST_PAGES} />`;
}

/** @param {MediaRequest} request */
function identify(request) {
  return request.id;
}

/** @param {{status: string, type: string, sort: string, page?: number}} filters */
function url({ status, type, sort, page }) {
  return link("/requests", { status: unlessAll(status), type: unlessAll(type), sort: sort === SORTS[0] ? undefined : sort, page });
}
