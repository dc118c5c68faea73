import { pace } from "../api.js";
import { Failure } from "../components/failure.js";
import { Heading } from "../components/frame.js";
import { Icon } from "../components/icon.js";
import { More } from "../components/more.js";
import { Segmented } from "../components/segmented.js";
import { endSearch, isArrow, useShortcuts } from "../components/shortcuts.js";
import { CardSkeleton, TitleCard, identifyTitle } from "../components/title-card.js";
import { t } from "../i18n.js";
import { link, navigate, place, useScroll } from "../router.js";
import { pagesOf } from "../state/filters.js";
import { useList } from "../state/load.js";
import { html, useEffect, useRef } from "../vendor/modules.js";

const PAUSE = 350;
const MOST_PAGES = 25;
/** @type {["all", "movie", "tv"]} */
const TYPES = ["all", "movie", "tv"];
let lastCall = 0;

/** /search?q=&type=&page=: searches as one types. */
export function SearchPage() {
  const query = place.value.query;
  const q = query.get("q") ?? "";
  const type = TYPES.find((each) => each === query.get("type")) ?? "all";
  const pages = pagesOf(query, MOST_PAGES);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const words = q.trim();
  const list = useList(
    words ? link("/media/search", { q: words, type }) : null,
    pages,
    identifyTitle,
    (page) => navigate(link("/search", { q, type: type === "all" ? undefined : type, page }), { replace: true }),
    wait,
  );
  useScroll(!words || !list.isFirst);
  useShortcuts({
    "/": () => {
      field.current?.focus();
      field.current?.select();
    },
  });
  useEffect(() => {
    if (!words) {
      field.current?.focus();
    }
  }, []);
  /** @param {{q?: string, type?: string}} change */
  const set = (change) => {
    const next = { q, type, ...change };
    navigate(link("/search", { q: next.q, type: next.type === "all" ? undefined : next.type }), { replace: true });
  };
  /** @type {[string, string][]} */
  const choices = TYPES.map((each) => [each, t(`search.${each}`)]);
  return html`
    <${Heading} hidden title=${words ? t("search.titleOf", { q: words }) : undefined}>${t("search.title")}<//>
    <form class="topbar" role="search" onSubmit=${endSearch}>
      <label class="find">
        <span class="vh">${t("search.label")}</span>
        <${Icon} name="search" />
        <input ref=${field} type="search" value=${q} placeholder=${t("search.placeholder")} maxlength="200" autocomplete="off" enterkeyhint="search"
          onInput=${(/** @type {any} */ event) => set({ q: event.currentTarget.value })} onKeyDown=${intoResults} />
        <kbd class="kbd" aria-hidden="true">/</kbd>
      </label>
      <div class="scroller"><${Segmented} label=${t("search.type")} value=${type} choices=${choices} onChange=${(/** @type {string} */ chosen) => set({ type: chosen })} /></div>
    </form>
    <p class="vh" role="status">${words && !list.isFirst ? t("search.found", { count: list.total }) : ""}</p>
    <${Results} list=${list} words=${words} type=${type} />`;
}

/**
 * @param {{list: import("../state/load.js").LoadedList<import("../api.js").Schemas["Title"]>, words: string, type: string}} props
 */
function Results({ list, words, type }) {
  if (!words) {
    return html`<div class="state"><${Icon} name="sparkles" /><h2>${t("search.empty")}</h2><p>${t("search.hint")}</p></div>`;
  }
  if (list.isFirst && list.error) {
    return html`<${Failure} error=${list.error} retry=${list.retry} />`;
  }
  if (list.isFirst) {
    return html`<ul class="grid" aria-busy="true">${Array.from({ length: 12 }, (_, index) => html`<${CardSkeleton} key=${index} />`)}</ul>`;
  }
  if (list.items.length === 0) {
    return html`<div class="state"><${Icon} name="search" /><h2>${t("search.nothing")}</h2><p>${understood(words, type)} ${t("search.nothingHint")}</p></div>`;
  }
  return html`
    <ul class="grid" onKeyDown=${moveBetweenCards}>
      ${list.items.map((item, index) => html`<${TitleCard} key=${identifyTitle(item)} item=${item} eager=${index < 6} />`)}
    </ul>
    <${More} list=${list} most=${MOST_PAGES} />`;
}

/**
 * Say what a search without a result was understood as; the rules are the API's.
 *
 * @param {string} words
 * @param {string} type
 */
export function understood(words, type) {
  const number = /^tmdb:\s*(\d+)$/i.exec(words);
  if (number) {
    return t("search.understoodTmdb", { id: number[1] ?? "" });
  }
  const imdb = /^imdb:\s*(tt\d+)$/i.exec(words);
  if (imdb) {
    return t("search.understoodImdb", { id: imdb[1] ?? "" });
  }
  const dated = /^(.*\S)\s*\((\d{4})\)$/.exec(words);
  return dated
    ? t(`search.understoodYear.${type}`, { words: dated[1] ?? "", year: dated[2] ?? "" })
    : t(`search.understood.${type}`, { words });
}

/** Wait until the next call is due: a pause after the last letter, and longer near the rate limit. */
async function wait() {
  const since = Date.now() - lastCall;
  const pause = Math.max(since > 2 * PAUSE ? PAUSE / 2 : PAUSE, pace("/media/search"));
  await new Promise((resolve) => setTimeout(resolve, pause));
  lastCall = Date.now();
}

/** @param {KeyboardEvent} event */
function intoResults(event) {
  const first = document.querySelector(".grid .card a");
  if (event.key === "ArrowDown" && isArrow(event) && first instanceof HTMLElement) {
    event.preventDefault();
    first.focus();
  }
}

/**
 * Arrow keys move between cards: to the neighbour, or to the nearest card of the next row.
 *
 * @param {KeyboardEvent} event
 */
function moveBetweenCards(event) {
  const from = event.target instanceof HTMLElement ? event.target.closest("a") : null;
  if (!from || !(event.currentTarget instanceof HTMLElement) || !isArrow(event)) {
    return;
  }
  const cards = Array.from(event.currentTarget.querySelectorAll("a"));
  const target = neighbour(cards, from, event.key);
  if (target) {
    event.preventDefault();
    target.focus();
    target.scrollIntoView({ block: "nearest" });
  } else if (event.key === "ArrowUp") {
    event.preventDefault();
    const field = document.querySelector(".find input");
    if (field instanceof HTMLElement) {
      field.focus();
    }
  }
}

/**
 * @param {HTMLElement[]} cards
 * @param {HTMLElement} from
 * @param {string} key
 */
function neighbour(cards, from, key) {
  const index = cards.indexOf(from);
  if (key === "ArrowLeft" || key === "ArrowRight") {
    return cards[index + (key === "ArrowRight" ? 1 : -1)];
  }
  const box = from.getBoundingClientRect();
  const others = key === "ArrowDown" ? cards.slice(index + 1) : cards.slice(0, index).reverse();
  const row = others.find((card) => Math.abs(card.getBoundingClientRect().top - box.top) > 4);
  const top = row?.getBoundingClientRect().top ?? 0;
  return others
    .filter((card) => Math.abs(card.getBoundingClientRect().top - top) <= 4)
    .sort((a, b) => Math.abs(a.getBoundingClientRect().left - box.left) - Math.abs(b.getBoundingClientRect().left - box.left))[0];
}
