import { asApiError, call } from "../api.js";
import { dateTime, errorText, t } from "../i18n.js";
import { cancel, request } from "../state/ask.js";
import { dropDraft, readDraft, writeDraft } from "../state/drafts.js";
import { useLoad } from "../state/load.js";
import { toast } from "./toasts.js";
import { html, useEffect, useState } from "../vendor/modules.js";
import { Badge } from "./badge.js";
import { Button } from "./button.js";
import { Problem, useRetry } from "./failure.js";
import { Field } from "./field.js";
import { Icon } from "./icon.js";
import { Meter } from "./meter.js";
import { SeasonList, isFree } from "./season-list.js";

/**
 * @typedef {import("../api.js").Schemas["TitleDetails"]} TitleDetails
 * @typedef {import("../api.js").Schemas["Quotas"]} Quotas
 * @typedef {import("../api.js").ApiError} ApiError
 */

/**
 * The request of a title: its state, or the form that makes one.
 *
 * @param {{details: TitleDetails, reload: () => void}} props
 */
export function Ask({ details, reload }) {
  const free = details.mediaType === "tv" ? (details.seasons ?? []).filter(isFree) : [];
  const isHeld = details.mediaType === "movie" ? details.request !== undefined : free.length === 0 && hasSeasons(details);
  return html`
    <section class="ask" aria-labelledby="ask-heading">
      <h2 id="ask-heading">${t("ask.heading")}</h2>
      <${State} details=${details} reload=${reload} />
      ${isHeld ? null : html`<${Form} details=${details} free=${free} reload=${reload} />`}
    </section>`;
}

/**
 * The requests that hold the title, the caller's own with a link.
 *
 * @param {{details: TitleDetails, reload: () => void}} props
 */
function State({ details, reload }) {
  if (details.mediaType === "movie") {
    return details.request ? html`<${Held} request=${details.request} reload=${reload} />` : null;
  }
  const ids = new Map((details.seasons ?? []).flatMap(({ request: held }) => (held?.id ? [[held.id, held]] : [])));
  return html`
    ${Array.from(ids.values(), (held) => html`<${Held} key=${held.id} request=${held} reload=${reload} />`)}
    ${hasSeasons(details) && !(details.seasons ?? []).some(isFree) && ids.size === 0 ? html`<p>${t("ask.allHeld")}</p>` : null}`;
}

/**
 * One request: its state and, for the caller's own, when, why, and cancel while it is pending.
 *
 * @param {{request: {id?: string, status: "pending" | "approved" | "declined"}, reload: () => void}} props
 */
function Held({ request: held, reload }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await cancel(await own(held.id ?? ""), reload);
      reload();
    } catch (caught) {
      setError(asApiError(caught));
    }
    setBusy(false);
  };
  return html`
    <${Problem} error=${error} />
    <div class="pair">
      <p>
        <${Badge} request=${{ status: held.status }} />${" "}
        ${t(held.id ? `ask.yours.${held.status}` : `ask.others.${held.status}`)}${" "}
        ${held.id ? html`<a href=${`/requests/${held.id}`}>${t("ask.details")}</a>` : null}
      </p>
      ${held.id && held.status === "pending" ? html`<${Button} class="bad" busy=${busy} onClick=${run}>${t("ask.cancel")}<//>` : null}
    </div>`;
}

/**
 * @param {{details: TitleDetails, free: NonNullable<TitleDetails["seasons"]>, reload: () => void}} props
 */
function Form({ details, free, reload }) {
  const { mediaType, tmdbId, title } = details;
  const name = `${mediaType}/${tmdbId}`;
  const draft = /** @type {{comment?: string, seasons?: number[]} | null} */ (readDraft(name));
  const [comment, setComment] = useState(draft?.comment ?? "");
  const [chosen, setChosen] = useState(draft?.seasons ?? free.filter(({ number }) => number > 0).map(({ number }) => number));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const quotaLoad = useLoad("/media/quota");
  const quotas = /** @type {Quotas | undefined} */ (quotaLoad.data);
  useEffect(() => {
    writeDraft(name, { comment, seasons: chosen });
  }, [comment, chosen]);
  const selected = chosen.filter((number) => free.some((season) => season.number === number));
  const kind = mediaType === "movie" ? "movies" : "seasons";
  const quota = quotas?.[kind];
  const wanted = mediaType === "movie" ? 1 : selected.length;
  const left = quota ? Math.max(quota.limit - quota.used, 0) : Infinity;
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const made = await request({
        mediaType,
        tmdbId,
        ...(mediaType === "tv" ? { seasons: selected } : {}),
        ...(comment.trim() ? { comment: comment.trim() } : {}),
      });
      dropDraft(name);
      setComment("");
      toast(t(made.status === "approved" ? "ask.approved" : "ask.done", { title }));
      reload();
      quotaLoad.retry();
    } catch (caught) {
      const refusal = asApiError(caught);
      setError(refusal);
      if (refusal.code === "ALREADY_REQUESTED") {
        reload();
      }
    }
    setBusy(false);
  };
  const wait = useRetry(error?.code === "RATE_LIMITED" ? error : undefined, () => setError(undefined));
  const nothing = mediaType === "tv" && selected.length === 0;
  return html`
    ${mediaType === "tv" ? html`<${SeasonList} seasons=${details.seasons ?? []} chosen=${selected} onChange=${setChosen} />` : null}
    ${mediaType === "tv" && !hasSeasons(details) ? html`<p class="note info"><${Icon} name="info" /><span>${t("ask.noSeasons")}</span></p>` : null}
    <${Field} id="comment" label=${t("ask.comment")} hint=${t("ask.optional")} value=${comment} onInput=${setComment} maxLength=${500} multiline />
    ${quota ? html`<${Meter} kind=${kind} quota=${quota} />` : null}
    <p class="outcome small muted" id="ask-outcome">${outcome(quotas, mediaType, nothing, wanted > left)}</p>
    <${Refusal} error=${error} />
    <${Button} class="primary wide big" icon="plus" busy=${busy} disabled=${nothing || wait > 0} describedBy="ask-outcome" onClick=${run}>
      ${wait > 0 ? t("failure.retryIn", { seconds: wait }) : mediaType === "movie" ? t("ask.movie") : t("ask.seasons", { count: selected.length })}
    <//>`;
}

/** @param {{error: ApiError | undefined}} props */
function Refusal({ error }) {
  if (error?.code !== "QUOTA_EXCEEDED") {
    return html`<${Problem} error=${error} />`;
  }
  const { resetsAt } = error.details ?? {};
  return html`<div role="alert"><p class="note bad"><${Icon} name="triangle-alert" /><span>${errorText(error)}${resetsAt ? ` ${t("quota.fits", { time: dateTime(resetsAt) })}` : ""}</span></p></div>`;
}

/**
 * Say what the button will do.
 *
 * @param {Quotas | undefined} quotas
 * @param {"movie" | "tv"} mediaType
 * @param {boolean} nothing
 * @param {boolean} tooMany
 */
function outcome(quotas, mediaType, nothing, tooMany) {
  if (nothing) {
    return t("ask.chooseSeasons");
  }
  if (tooMany) {
    return t("ask.tooMany");
  }
  return t(quotas?.autoApprove?.[mediaType] ? "ask.outcome.approved" : "ask.outcome.pending");
}

/** @param {TitleDetails} details */
function hasSeasons(details) {
  return (details.seasons ?? []).length > 0;
}

/**
 * @param {string} id
 * @returns {Promise<import("../state/ask.js").MediaRequest>}
 */
async function own(id) {
  const { data } = await call("GET", `/media/requests/${id}`);
  return /** @type {any} */ (data);
}
