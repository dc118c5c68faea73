import { relative, seasons, t } from "../i18n.js";
import { html } from "../vendor/modules.js";
import { Badge } from "./badge.js";
import { Button } from "./button.js";
import { FulfilmentProblem } from "./fulfilment.js";
import { Poster } from "./poster.js";

/** @typedef {import("../api.js").Schemas["MediaRequest"]} MediaRequest */

/**
 * A request in a list.
 *
 * @param {{request: MediaRequest, busy: boolean, onCancel: () => void}} props
 */
export function RequestRow({ request, busy, onCancel }) {
  return html`
    <li class="row">
      <span class="thumb" aria-hidden="true"><${Poster} path=${request.posterPath} title=${request.title} mediaType=${request.mediaType} sizes="3.5rem" /></span>
      <div class="what">
        <p><a href=${`/requests/${request.id}`}>${request.title}</a>${request.year ? html` <span class="muted">${request.year}</span>` : null}</p>
        <p class="small muted">${[about(request), t("requests.asked", { when: relative(request.requestedAt) })].join(" · ")}</p>
        ${request.comment ? html`<p class="quote">${t("quoted", { text: request.comment })}</p>` : null}
        ${request.reason ? html`<p class="quote reason">${t("requests.reason", { reason: request.reason })}</p>` : null}
        ${request.fulfilment ? html`<${FulfilmentProblem} fulfilment=${request.fulfilment} />` : null}
      </div>
      <div class="acts">
        <${Badge} request=${{ status: request.status, fulfilment: request.fulfilment?.state }} />
        ${request.status === "pending" ? html`<${Button} class="bare" busy=${busy} label=${t("requests.cancelOf", { title: request.title })} onClick=${onCancel}>${t("requests.cancel")}<//>` : null}
      </div>
    </li>`;
}

/** The place of a row while it loads. */
export function RowSkeleton() {
  return html`<li class="row" aria-hidden="true"><span class="thumb"><span class="poster skel"></span></span><div class="what card"><span class="line skel"></span><span class="line skel"></span></div></li>`;
}

/** @param {MediaRequest} request */
export function about({ mediaType, seasons: numbers }) {
  if (mediaType === "movie" || !numbers) {
    return t(`type.${mediaType}`);
  }
  const regular = numbers.filter((number) => number > 0);
  const texts = [
    regular.length ? t("requests.seasons", { count: regular.length, numbers: seasons(regular) }) : "",
    numbers.includes(0) ? t("seasons.specials") : "",
  ];
  return texts.filter(Boolean).join(", ");
}
