import { t } from "../i18n.js";
import { html } from "../vendor/modules.js";
import { Badge } from "./badge.js";
import { Icon } from "./icon.js";
import { Poster } from "./poster.js";

/** @typedef {import("../api.js").Schemas["Title"]} Title */

const SIZES = "(min-width: 64em) 13rem, (min-width: 30em) 10rem, 46vw";

/**
 * A film or show in a grid or row: one link.
 *
 * @param {{item: Title, eager?: boolean}} props
 */
export function TitleCard({ item, eager = false }) {
  return html`
    <li class="card">
      <a href=${titlePath(item.mediaType, item.tmdbId)}>
        <${Poster} path=${item.posterPath} title=${item.title} mediaType=${item.mediaType} sizes=${SIZES} eager=${eager}>
          ${item.request ? html`<${Badge} request=${item.request} />` : null}
        <//>
        <span class="text">
          <span class="name">${item.title}</span>
          <span class="sub"><${Icon} name=${item.mediaType === "tv" ? "tv" : "film"} /><span class="vh">${t(`type.${item.mediaType}`)}</span>${item.year ?? t("year.unknown")}</span>
        </span>
      </a>
    </li>`;
}

/** The place of a card while it loads. */
export function CardSkeleton() {
  return html`<li class="card" aria-hidden="true"><span class="poster skel"></span><span class="text"><span class="line skel"></span><span class="line skel"></span></span></li>`;
}

/** @param {Title} item */
export function identifyTitle(item) {
  return `${item.mediaType}/${item.tmdbId}`;
}

/**
 * @param {string} mediaType
 * @param {number} tmdbId
 */
export function titlePath(mediaType, tmdbId) {
  return `/${mediaType}/${tmdbId}`;
}
