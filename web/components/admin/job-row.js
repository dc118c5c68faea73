import { dateTime, relative, t } from "../../i18n.js";
import { html } from "../../vendor/modules.js";
import { Button } from "../button.js";
import { Icon } from "../icon.js";
import { AdminIcon } from "./icon.js";
import { failureText } from "./server-state.js";

/** @typedef {import("../../api.js").Schemas["Job"]} Job */

/** @type {Record<Job["state"], [string, string]>} */
const LOOKS = {
  queued: ["clock", "pending"],
  leased: ["activity", "partial"],
  dead: ["circle-x", "declined"],
  done: ["circle-check", "approved"],
  cancelled: ["ban", ""],
};

/**
 * One job: what it is about, how it goes, and what an admin can do.
 *
 * @param {{job: Job, serverName: string | undefined, busy: string, problem: string, onAction: (action: "retry" | "cancel") => void}} props
 */
export function JobRow({ job, serverName, busy, problem, onAction }) {
  const [icon, look] = LOOKS[job.state] ?? ["circle-help", ""];
  const name = nameOf(job, serverName);
  const title = titleLink(job);
  return html`
    <li class="row">
      <div class="what">
        <p>${title ? html`<a href=${title}>${name}</a>` : html`<b>${name}</b>`} <span class="chip">${t(`jobs.kind.${job.kind}`)}</span>
          ${serverName && job.serverId && job.kind === "handover" ? html` <a class="small plain" href=${`/admin/servers/${job.serverId}`}>${serverName}</a>` : null}</p>
        <p class="small"><span class=${`badge ${look}`}><${AdminIcon} name=${icon} /><span>${t(`jobs.state.${job.state}`)}</span></span> <span class="muted">${facts(job)}</span></p>
        ${job.error
          ? html`<p class="quote reason">${failureText(job.error)} <span class="muted small">${t(`jobs.class.${job.error.class}`)} (${job.error.code})</span></p>`
          : null}
        <div role="alert">${problem ? html`<p class="note bad small"><${Icon} name="triangle-alert" /><span>${problem}</span></p>` : null}</div>
      </div>
      <div class="acts">
        ${job.state === "dead" || job.state === "cancelled" ? html`<${Button} busy=${busy === `retry ${job.id}`} label=${t("jobs.retryOf", { name })} onClick=${() => onAction("retry")}>${t("jobs.retry")}<//>` : null}
        ${job.state === "queued" ? html`<${Button} class="bad" busy=${busy === `cancel ${job.id}`} label=${t("jobs.cancelOf", { name })} onClick=${() => onAction("cancel")}>${t("jobs.cancel")}<//>` : null}
      </div>
    </li>`;
}

/**
 * Return the film or show of a job, else its server.
 *
 * @param {Job} job
 * @param {string | undefined} serverName
 */
function nameOf({ title, payload, serverId }, serverName) {
  const { mediaType, tmdbId } = /** @type {{mediaType?: "movie" | "tv", tmdbId?: number}} */ (payload ?? {});
  if (title) {
    return title;
  }
  if (mediaType && tmdbId) {
    return t(`jobs.untitled.${mediaType}`, { id: String(tmdbId) });
  }
  return serverName ?? t(serverId ? "jobs.unknownServer" : "jobs.noServer");
}

/** @param {Job} job */
function titleLink({ payload }) {
  const { mediaType, tmdbId } = /** @type {{mediaType?: "movie" | "tv", tmdbId?: number}} */ (payload ?? {});
  return mediaType && tmdbId ? `/${mediaType}/${tmdbId}` : undefined;
}

/** @param {Job} job */
function facts({ state, attempts, runAt, deadlineAt, createdAt, finishedAt, again }) {
  const tried = t("jobs.attempts", { count: attempts });
  const parts = [tried];
  if (state === "queued") {
    parts.push(new Date(runAt).getTime() > Date.now() ? t("jobs.nextRun", { when: relative(runAt) }) : t("jobs.due"), t("jobs.deadline", { time: dateTime(deadlineAt) }));
  } else if (finishedAt) {
    parts.push(t("jobs.finished", { when: relative(finishedAt) }));
  } else {
    parts.push(t("jobs.began", { when: relative(createdAt) }));
  }
  if (again) {
    parts.push(t("jobs.again"));
  }
  return parts.join(" · ");
}
