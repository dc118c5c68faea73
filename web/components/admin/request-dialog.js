import { dateTime, t } from "../../i18n.js";
import { useLoad } from "../../state/load.js";
import { html, useState } from "../../vendor/modules.js";
import { Badge } from "../badge.js";
import { Button } from "../button.js";
import { Dialog } from "../dialog.js";
import { Failure, Problem } from "../failure.js";
import { Select } from "../field.js";
import { FulfilmentProblem, fulfilmentText } from "../fulfilment.js";
import { about } from "../request-row.js";
import { titlePath } from "../title-card.js";
import { decidedBy } from "./queue-row.js";
import { failureText } from "./server-state.js";

/**
 * @typedef {import("../../api.js").Schemas} Schemas
 * @typedef {Schemas["AdminRequest"]} AdminRequest
 * @typedef {import("../../state/admin/decisions.js").Action} Action
 */

/**
 * Everything about one request, and what an admin rarely does: choose the server of an approval, hand
 * over again, withdraw.
 *
 * @param {{request: AdminRequest, busy: string, error: import("../../api.js").ApiError | undefined,
 *   onAct: (action: Action, body: object) => void, onWithdraw: () => void, onClose: () => void}} props
 */
export function RequestDialog({ request, busy, error, onAct, onWithdraw, onClose }) {
  const { fulfilment, requester } = request;
  // Another server can take over what a disabled one has not downloaded.
  const isLeft = fulfilment?.state === "submitted" && fulfilment.error?.code === "SERVER_DISABLED";
  const canRetry = isLeft || fulfilment?.state === "failed" || fulfilment?.state === "queued";
  const [reroute, setReroute] = useState(isLeft);
  return html`
    <${Dialog} title=${request.title} onClose=${onClose} wide>
      <p><${Badge} request=${{ status: request.status, fulfilment: fulfilment?.state }} /> <span class="muted">${[about(request), request.year].filter(Boolean).join(" · ")}</span></p>
      <dl class="facts-list">
        <div><dt>${t("queue.facts.requester")}</dt><dd><a href=${`/admin/users/${requester.id}`}>${requester.username}</a></dd></div>
        <div><dt>${t("queue.facts.when")}</dt><dd>${dateTime(request.requestedAt)}</dd></div>
        ${request.processedAt ? html`<div><dt>${t("queue.facts.decided")}</dt><dd>${[dateTime(request.processedAt), decidedBy(request)].filter(Boolean).join(" · ")}</dd></div>` : null}
        ${fulfilment ? html`<div><dt>${t("queue.facts.state")}</dt><dd>${fulfilmentText(fulfilment)}<${FulfilmentProblem} fulfilment=${fulfilment} text=${failureText} /></dd></div>` : null}
        ${fulfilment?.server ? html`<div><dt>${t("queue.facts.server")}</dt><dd><a href=${`/admin/servers/${fulfilment.server.id}`}>${fulfilment.server.name}</a></dd></div>` : null}
      </dl>
      ${request.comment ? html`<p class="quote">${t("quoted", { text: request.comment })}</p>` : null}
      ${request.reason ? html`<p class="quote reason">${t("requests.reason", { reason: request.reason })}</p>` : null}
      <p><a href=${titlePath(request.mediaType, request.tmdbId)}>${t("queue.toTitle")}</a></p>
      ${request.status === "pending" ? html`<${Approval} request=${request} busy=${busy} onAct=${onAct} />` : null}
      <${Problem} error=${error} />
      ${canRetry
        ? html`
          <label class="check"><input type="checkbox" checked=${reroute} onChange=${() => setReroute(!reroute)} /><span>${t("queue.reroute")}</span></label>
          <div class="btns"><${Button} icon="refresh-cw" busy=${busy === "retry"} onClick=${() => onAct("retry", { reroute })}>${t("queue.retry")}<//></div>`
        : null}
      ${request.status === "approved" ? html`<div class="btns"><${Button} class="bad" onClick=${onWithdraw}>${t("queue.withdraw")}<//></div>` : null}
    <//>`;
}

/**
 * Approve with a chosen server, quality profile and folder.
 *
 * @param {{request: AdminRequest, busy: string, onAct: (action: Action, body: object) => void}} props
 */
function Approval({ request, busy, onAct }) {
  const { data, error, retry } = useLoad("/admin/servers");
  const [server, setServer] = useState("");
  const [options, setOptions] = useState(/** @type {{qualityProfileId?: number, rootFolderPath?: string}} */ ({}));
  const servers = /** @type {Schemas["Server"][] | undefined} */ (data);
  const kind = request.mediaType === "movie" ? "radarr" : "sonarr";
  const fitting = (servers ?? []).filter((each) => each.kind === kind && each.enabled);
  if (error && !servers) {
    return html`<${Failure} error=${error} retry=${retry} level=${3} />`;
  }
  if (!servers) {
    return html`<p class="skel" aria-hidden="true"> </p>`;
  }
  if (fitting.length === 0) {
    return html`<p class="muted">${t("queue.noServers")}</p>`;
  }
  const choose = (/** @type {string} */ id) => {
    setServer(id);
    setOptions({});
  };
  const approve = () => onAct("approve", server ? { serverId: server, ...(Object.keys(options).length ? { options } : {}) } : {});
  return html`
    <div class="choices">
      <${Select} id="server" label=${t("queue.server")} value=${server} onChange=${choose}
        choices=${[["", t("queue.serverByRules")], ...fitting.map(({ id, name }) => [id, name])]} />
      ${server ? html`<${Options} key=${server} server=${server} options=${options} onChange=${setOptions} />` : null}
    </div>
    <div class="btns"><${Button} class="primary" icon="check" busy=${busy === "approve"} onClick=${approve}>${t(server ? "queue.approveWith" : "queue.approve")}<//></div>`;
}

/**
 * @param {{server: string, options: {qualityProfileId?: number, rootFolderPath?: string},
 *   onChange: (options: {qualityProfileId?: number, rootFolderPath?: string}) => void}} props
 */
function Options({ server, options, onChange }) {
  const { data, error, retry } = useLoad(`/admin/servers/${server}/inventory`);
  const inventory = /** @type {Schemas["Inventory"] | undefined} */ (data);
  if (!inventory) {
    return error ? html`<${Failure} error=${error} retry=${retry} level=${3} />` : html`<p class="skel" aria-hidden="true"> </p>`;
  }
  const without = (/** @type {"qualityProfileId" | "rootFolderPath"} */ name) => {
    const rest = { ...options };
    delete rest[name];
    return rest;
  };
  return html`
    <${Select} id="profile" label=${t("queue.profile")} value=${String(options.qualityProfileId ?? "")}
      onChange=${(/** @type {string} */ id) => onChange(id ? { ...options, qualityProfileId: Number(id) } : without("qualityProfileId"))}
      choices=${[["", t("queue.serverDefault")], ...inventory.profiles.map(({ id, name }) => [String(id), name])]} />
    <${Select} id="folder" label=${t("queue.folder")} value=${options.rootFolderPath ?? ""}
      onChange=${(/** @type {string} */ path) => onChange(path ? { ...options, rootFolderPath: path } : without("rootFolderPath"))}
      choices=${[["", t("queue.serverDefault")], ...inventory.rootFolders.map(({ path }) => [path, path])]} />`;
}
