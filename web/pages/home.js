import { Failure } from "../components/failure.js";
import { Heading } from "../components/frame.js";
import { Icon } from "../components/icon.js";
import { CardSkeleton, TitleCard, identifyTitle } from "../components/title-card.js";
import { t } from "../i18n.js";
import { link, useScroll } from "../router.js";
import { useLoad } from "../state/load.js";
import { html } from "../vendor/modules.js";

/** @typedef {import("../api.js").Schemas["Title"]} Title */

/** @type {{name: string, list: string, type?: string}[]} */
const SHELVES = [
  { name: "requested", list: "requested" },
  { name: "trending", list: "trending" },
  { name: "movies", list: "popular", type: "movie" },
  { name: "shows", list: "popular", type: "tv" },
  { name: "upcoming", list: "upcoming", type: "movie" },
];

/** Cards of a row that loads: as many as a wide screen shows at once. */
const SKELETONS = 8;

/** /: rows of titles, each of which loads for itself. */
export function HomePage() {
  useScroll(true);
  return html`
    <${Heading} hidden>${t("home.title")}<//>
    ${SHELVES.map((shelf, index) => html`<${Shelf} key=${shelf.name} ...${shelf} first=${index < 2} />`)}`;
}

/** @param {{name: string, list: string, type?: string, first: boolean}} props */
function Shelf({ name, list, type, first }) {
  const { data, error, isLoading, retry } = useLoad(link("/media/discover", { list, type }));
  const items = /** @type {Title[] | undefined} */ (data);
  if (items?.length === 0 && name === "requested") {
    return html`<section class="shelf"><h2>${t("home.requested")}</h2><div class="invite" key="invite"><p>${t("home.nothingRequested")}</p><a class="btn primary" href="/search"><${Icon} name="search" />${t("nav.search")}</a></div></section>`;
  }
  if (items?.length === 0) {
    return null;
  }
  return html`
    <section class="shelf" aria-labelledby=${`shelf-${name}`} aria-busy=${isLoading && !items ? "true" : "false"}>
      <h2 id=${`shelf-${name}`}>${t(`home.${name}`)}</h2>
      ${error && !items
        ? html`<${Failure} error=${error} retry=${retry} level=${3} />`
        : html`
          <div class="scroller" key="scroller">
            <ul>
              ${items
                ? items.map((item, index) => html`<${TitleCard} key=${identifyTitle(item)} item=${item} eager=${first && index < 4} />`)
                : Array.from({ length: SKELETONS }, (_, index) => html`<${CardSkeleton} key=${index} />`)}
            </ul>
          </div>`}
    </section>`;
}
