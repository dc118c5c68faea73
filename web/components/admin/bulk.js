import { errorText, t } from "../../i18n.js";
import { html, useEffect, useRef } from "../../vendor/modules.js";
import { Button } from "../button.js";
import { Problem } from "../failure.js";
import { Icon } from "../icon.js";
import { AdminIcon } from "./icon.js";
import { refusalText } from "./queue-row.js";

/**
 * @typedef {import("../../state/selection.js").Selection} Selection
 * @typedef {import("../../state/admin/decisions.js").BulkResult} Result
 */

/**
 * Above the list: select all of it, and the help for the keyboard.
 *
 * @param {{selection: Selection, onHelp: () => void}} props
 */
export function Tools({ selection, onHelp }) {
  const { chosen, total } = selection;
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (box.current) {
      box.current.indeterminate = chosen.length > 0 && chosen.length < total;
    }
  }, [chosen.length, total]);
  return html`
    <div class="tools">
      ${total
        ? html`<label class="check"><input ref=${box} type="checkbox" checked=${chosen.length === total} onChange=${() => (chosen.length === total ? selection.clear() : selection.all())} /><span>${t("queue.selectAll", { count: total })}</span></label>`
        : html`<span></span>`}
      <${Button} class="bare keyboard" label=${t("shortcuts.open")} onClick=${onHelp}><${AdminIcon} name="keyboard" /><//>
    </div>`;
}

/**
 * The bar of a selection, at the foot of the screen.
 *
 * @param {{queue: import("../../state/admin/decisions.js").Decisions}} props
 */
export function Bulk({ queue }) {
  const { selection, progress, error, opened } = queue;
  const { chosen } = selection;
  if (chosen.length === 0 && !progress) {
    return null;
  }
  const busy = progress !== null;
  const approve = () => queue.decide(chosen, { decision: "approve" });
  return html`
    <div class="bulk" role="region" aria-label=${t("queue.selected", { count: chosen.length })}>
      <${Problem} error=${opened ? undefined : error} />
      <div class="bulk-row">
        <b role="status">${progress ? t("queue.progress", progress) : t("queue.selected", { count: chosen.length })}</b>
        <${Button} class="bare square" label=${t("queue.clear")} disabled=${busy} onClick=${selection.clear}><${Icon} name="x" /><//>
        <span class="space"></span>
        <${Button} class="bad" disabled=${busy} onClick=${() => queue.open({ kind: "decline", ids: chosen })}>${t("queue.declineMany", { count: chosen.length })}<//>
        <${Button} class="primary" icon="check" busy=${busy} onClick=${approve}>${t("queue.approveMany", { count: chosen.length })}<//>
      </div>
    </div>`;
}

/**
 * The outcome of many decisions, with each request that was not changed, and why. It gets the focus,
 * because the button that began it is gone.
 *
 * @param {{result: Result | null, onClose: () => void}} props
 */
export function BulkResult({ result, onClose }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (result) {
      box.current?.focus();
    }
  }, [result]);
  if (!result) {
    return null;
  }
  const { decision, done, conflicts } = result;
  return html`
    <section class="result" ref=${box} tabindex="-1" aria-labelledby="result-title">
      <div class="result-head">
        <h2 id="result-title">${t(`queue.done.${decision}`, { count: done })}</h2>
        <${Button} class="bare square" label=${t("queue.dismiss")} onClick=${onClose}><${Icon} name="x" /><//>
      </div>
      ${conflicts.length
        ? html`
          <p>${t("queue.conflicts", { count: conflicts.length })}</p>
          <ul>${conflicts.map((each) => html`<li key=${each.id}><b>${each.title}</b><span>${"refusal" in each ? refusalText(each.refusal) : errorText(each.error)}</span></li>`)}</ul>`
        : null}
    </section>`;
}
