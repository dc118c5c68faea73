import { relative, t } from "../../i18n.js";
import { html } from "../../vendor/modules.js";
import { Badge } from "../badge.js";
import { Button } from "../button.js";
import { FulfilmentProblem } from "../fulfilment.js";
import { Icon } from "../icon.js";
import { Poster } from "../poster.js";
import { about } from "../request-row.js";
import { titlePath } from "../title-card.js";
import { AdminIcon } from "./icon.js";
import { failureText } from "./server-state.js";

/**
 * @typedef {import("../../api.js").Schemas["AdminRequest"]} AdminRequest
 * @typedef {import("../../state/admin/decisions.js").Refusal} Refusal
 * @typedef {"approve" | "decline" | "more" | "retry"} RowAction
 */

/**
 * A request in the queue.
 *
 * @param {{request: AdminRequest, isSelected: boolean, busy: string, refusal: Refusal | undefined,
 *   onSelect: (id: string, isRange: boolean) => void, onAct: (request: AdminRequest, action: RowAction) => void}} props
 */
export function QueueRow({ request, isSelected, busy, refusal, onSelect, onAct }) {
  const { id, title } = request;
  const isPending = request.status === "pending" && !refusal;
  return html`
    <div class=${isSelected ? "row selected" : "row"} role="listitem" data-id=${id}>
      <label class="pick"><input type="checkbox" checked=${isSelected} disabled=${!isPending} aria-label=${t("queue.select", { title })}
        onClick=${(/** @type {MouseEvent} */ event) => onSelect(id, event.shiftKey)} /></label>
      <span class="thumb" aria-hidden="true"><${Poster} path=${request.posterPath} title=${title} mediaType=${request.mediaType} sizes="3.5rem" /></span>
      <div class="what">
        <p><a href=${titlePath(request.mediaType, request.tmdbId)}>${title}</a>${request.year ? html` <span class="muted">${request.year}</span>` : null}${request.mediaType === "tv" ? html` <span class="chip">${about(request)}</span>` : null}</p>
        <p class="small muted"><a class="quiet" href=${`/admin/users/${request.requester.id}`}>${request.requester.username}</a> · ${[relative(request.requestedAt), decidedBy(request)].filter(Boolean).join(" · ")}</p>
        ${request.comment ? html`<p class="quote">${t("quoted", { text: request.comment })}</p>` : null}
        ${request.reason ? html`<p class="quote reason">${t("requests.reason", { reason: request.reason })}</p>` : null}
        ${request.fulfilment ? html`<${FulfilmentProblem} fulfilment=${request.fulfilment} text=${failureText} />` : null}
        ${refusal ? html`<p class="quote refusal"><${Icon} name="info" /><span>${refusalText(refusal)}</span></p>` : null}
      </div>
      <div class="acts">
        ${isPending
          ? html`
            <${Button} class="good" icon="check" busy=${busy === "approve"} disabled=${busy !== ""} label=${t("queue.approveOf", { title })} onClick=${() => onAct(request, "approve")}>${t("queue.approve")}<//>
            <${Button} class="bad" icon="x" busy=${busy === "decline"} disabled=${busy !== ""} label=${t("queue.declineOf", { title })} onClick=${() => onAct(request, "decline")}>${t("queue.decline")}<//>`
          : html`${refusal && !refusal.status ? null : html`<${Badge} request=${{ status: refusal?.status ?? request.status, fulfilment: request.fulfilment?.state }} />`}
            ${request.fulfilment?.state === "failed" ? html`<${Button} icon="refresh-cw" busy=${busy === "retry"} label=${t("queue.retryOf", { title })} onClick=${() => onAct(request, "retry")}>${t("queue.retry")}<//>` : null}`}
        <${Button} class="bare square" label=${t("queue.more", { title })} onClick=${() => onAct(request, "more")}><${AdminIcon} name="ellipsis" /><//>
      </div>
    </div>`;
}

/** @param {AdminRequest} request */
export function decidedBy({ status, processedBy, processedByName }) {
  if (status === "pending") {
    return "";
  }
  if (!processedBy) {
    return status === "approved" ? t("queue.decided.automatic") : "";
  }
  return processedByName ? t(`queue.decided.${status}`, { name: processedByName }) : "";
}

/**
 * Say why a request could not be decided.
 *
 * @param {Refusal} refusal
 */
export function refusalText({ status, processedByName, processedAt }) {
  if (!status) {
    return t("queue.conflict.gone");
  }
  if (status === "pending") {
    return t("queue.conflict.pending");
  }
  return processedByName
    ? t(`queue.conflict.${status}`, { name: processedByName, when: processedAt ? relative(processedAt) : "" })
    : t(status === "approved" ? "queue.conflict.approvedBySomebody" : "queue.conflict.declinedBySomebody");
}
