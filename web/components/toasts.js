import { t } from "../i18n.js";
import { html, render, signal } from "../vendor/modules.js";
import { Icon } from "./icon.js";

const SHOWN = 6000;

/**
 * @typedef {object} Toast
 * @property {number} id
 * @property {string} text
 * @property {string} icon
 * @property {{label: string, run: () => void}} [action]
 */

/** @type {import("../vendor/modules.js").Signal<Toast[]>} */
const toasts = signal(/** @type {Toast[]} */ ([]));
let lastId = 0;

/**
 * Show a message for six seconds; one with an action stays for twice as long, and any while it is pointed
 * at or has the focus.
 *
 * @param {string} text
 * @param {{icon?: string, action?: Toast["action"]}} [options]
 */
export function toast(text, { icon = "circle-check", action } = {}) {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value.slice(-2), { id, text, icon, ...(action ? { action } : {}) }];
  const end = () => {
    if (document.getElementById(`toast-${id}`)?.matches(":hover, :focus-within")) {
      setTimeout(end, SHOWN);
    } else {
      dismiss(id);
    }
  };
  setTimeout(end, action ? 2 * SHOWN : SHOWN);
}

/** The live region of the messages: of several, only the new one is read. */
function Toasts() {
  return html`
    <div class="toasts" role="status" aria-atomic="false">
      ${toasts.value.map(
        ({ id, text, icon, action }) => html`
          <div class="toast" key=${id} id=${`toast-${id}`}>
            <${Icon} name=${icon} />
            <span>${text}</span>
            ${action ? html`<button type="button" onClick=${() => { dismiss(id); action.run(); }}>${action.label}</button>` : null}
            <button type="button" class="close" aria-label=${t("toast.close")} onClick=${() => dismiss(id)}><${Icon} name="x" /></button>
          </div>`,
      )}
    </div>`;
}

/** @param {number} id */
function dismiss(id) {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

// It is there before its first message, so that screen readers follow it.
const container = document.createElement("div");
document.body.append(container);
render(html`<${Toasts} />`, container);
