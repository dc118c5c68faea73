import { asApiError } from "../api.js";
import { Badge } from "../components/badge.js";
import { Button } from "../components/button.js";
import { Failure, Problem } from "../components/failure.js";
import { Heading } from "../components/frame.js";
import { FulfilmentProblem, fulfilmentText } from "../components/fulfilment.js";
import { Icon } from "../components/icon.js";
import { Poster } from "../components/poster.js";
import { about } from "../components/request-row.js";
import { titlePath } from "../components/title-card.js";
import { dateTime, t } from "../i18n.js";
import { navigate, useScroll } from "../router.js";
import { cancel } from "../state/ask.js";
import { useLoad } from "../state/load.js";
import { html, useState } from "../vendor/modules.js";

/** @typedef {import("../api.js").Schemas["MediaRequest"]} MediaRequest */

const STATE_ICONS = { manual: "user", queued: "clock", submitted: "download", downloaded: "circle-check", failed: "triangle-alert" };

/**
 * /requests/:id: what became of one request.
 *
 * @param {{id: string}} props
 */
export function RequestPage({ id }) {
  const { data, error, retry } = useLoad(`/media/requests/${id}`);
  const request = /** @type {MediaRequest | undefined} */ (data);
  useScroll(request !== undefined);
  return html`
    <a class="back" href="/requests"><${Icon} name="chevron-left" />${t("nav.requests")}</a>
    ${request
      ? html`<${Sheet} request=${request} reload=${retry} />`
      : html`<${Heading} hidden>${t("request.title")}<//>${error
          ? html`<${Failure} error=${error} retry=${retry} />`
          : html`<div class="sheet" aria-busy="true"><span class="poster skel"></span><div class="card" aria-hidden="true"><span class="line skel"></span><span class="line skel"></span></div></div>`}`}`;
}

/** @param {{request: MediaRequest, reload: () => void}} props */
function Sheet({ request, reload }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {import("../api.js").ApiError | undefined} */ (undefined));
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await cancel(request, (again) => navigate(`/requests/${again.id}`));
      navigate("/requests");
    } catch (caught) {
      setError(asApiError(caught));
      setBusy(false);
      reload();
    }
  };
  return html`
    <div class="sheet">
      <div><${Poster} path=${request.posterPath} title=${request.title} mediaType=${request.mediaType} sizes="7.5rem" eager /></div>
      <div>
        <${Heading}>${request.title}<//>
        <p class="muted">${[about(request), request.year].filter(Boolean).join(" · ")}</p>
        <p><a href=${titlePath(request.mediaType, request.tmdbId)}>${t("request.toTitle")}</a></p>
        <ol class="timeline">
          <li><${Icon} name="ticket" /><b>${t("request.asked")}</b><p class="small muted">${dateTime(request.requestedAt)}</p>${request.comment ? html`<p>${t("quoted", { text: request.comment })}</p>` : null}</li>
          ${outcome(request)}
          ${request.fulfilment ? html`<${Fetched} fulfilment=${request.fulfilment} />` : null}
        </ol>
        <${Problem} error=${error} />
        ${request.status === "pending" ? html`<${Button} class="bad" busy=${busy} onClick=${run}>${t("ask.cancel")}<//>` : null}
        ${request.status === "declined" ? html`<a class="btn" href=${titlePath(request.mediaType, request.tmdbId)}>${t("ask.again")}</a>` : null}
      </div>
    </div>`;
}

/**
 * The fulfilment of an approved request, of each season where they differ.
 *
 * @param {{fulfilment: NonNullable<MediaRequest["fulfilment"]>}} props
 */
function Fetched({ fulfilment }) {
  const { state } = fulfilment;
  const seasons = fulfilment.seasons ?? [];
  const isMixed = seasons.some((each) => each.state !== state);
  return html`
    <li class=${state}>
      <${Icon} name=${STATE_ICONS[state]} />
      <b>${t(`fulfilment.title.${state}`)}</b>
      <p class="small muted">${fulfilmentText(fulfilment)}</p>
      <${FulfilmentProblem} fulfilment=${fulfilment} />
      ${isMixed
        ? html`<ul class="small states">${seasons.map(
            (each) => html`<li key=${each.season}><span>${each.season === 0 ? t("seasons.specials") : t("seasons.number", { number: String(each.season) })}</span> <${Badge} request=${{ status: "approved", fulfilment: each.state }} /></li>`,
          )}</ul>`
        : null}
    </li>`;
}

/** @param {MediaRequest} request */
function outcome(request) {
  if (request.status === "pending") {
    return html`<li><${Icon} name="clock" /><b>${t("request.waiting")}</b><p class="small muted">${t("request.waitingHint")}</p></li>`;
  }
  return html`
    <li class=${request.status}>
      <${Icon} name=${request.status === "approved" ? "circle-check" : "circle-x"} />
      <${Badge} request=${{ status: request.status }} />
      ${request.processedAt ? html`<p class="small muted">${dateTime(request.processedAt)}${request.processedBy ? "" : ` · ${t("request.automatic")}`}</p>` : null}
      ${request.reason ? html`<p>${t("requests.reason", { reason: request.reason })}</p>` : null}
    </li>`;
}
