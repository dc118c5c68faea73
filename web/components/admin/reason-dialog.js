import { t } from "../../i18n.js";
import { link } from "../../router.js";
import { useDraft } from "../../state/drafts.js";
import { useLoad } from "../../state/load.js";
import { html, useState } from "../../vendor/modules.js";
import { Confirm } from "../dialog.js";
import { Field } from "../field.js";

/** @typedef {import("../../api.js").Schemas["AdminRequest"]} AdminRequest */

const READ = 40;
const OFFERED = 5;

/**
 * Ask for the reason of a refusal; the reasons given lately are offered. What was typed stays until
 * the service has taken it.
 *
 * @param {{title: string, action: string, hint?: string, busy: boolean, error: import("../../api.js").ApiError | undefined,
 *   onReason: (reason: string, drop: () => void) => void, onClose: () => void}} props
 */
export function ReasonDialog({ title, action, hint, busy, error, onReason, onClose }) {
  const [reason, setReason, drop] = useDraft("reason", "");
  const [missing, setMissing] = useState(false);
  const { data } = useLoad(link("/admin/requests", { status: "declined", limit: READ }));
  const recent = reasonsOf(/** @type {AdminRequest[]} */ (data ?? []));
  const confirm = () => {
    setMissing(reason.trim() === "");
    if (reason.trim()) {
      onReason(reason.trim(), drop);
    }
  };
  return html`
    <${Confirm} title=${title} action=${action} isBad busy=${busy} error=${error} onConfirm=${confirm} onClose=${onClose}>
      ${hint ? html`<p class="muted">${hint}</p>` : null}
      <${Field} id="reason" label=${t("queue.reason")} hint=${t("queue.reasonHint")} value=${reason} onInput=${setReason} maxLength=${500} multiline isFirst
        problem=${missing && !reason.trim() ? t("queue.reasonMissing") : undefined} />
      ${recent.length
        ? html`<div role="group" aria-label=${t("queue.reasonsRecent")}><p class="small muted">${t("queue.reasonsRecent")}</p>
            <ul class="reasons">${recent.map((each) => html`<li key=${each}><button type="button" class="btn" onClick=${() => setReason(each)}>${each}</button></li>`)}</ul></div>`
        : null}
    <//>`;
}

/** @param {AdminRequest[]} requests */
function reasonsOf(requests) {
  return Array.from(new Set(requests.flatMap(({ reason }) => (reason ? [reason] : [])))).slice(0, OFFERED);
}
