import { t } from "../i18n.js";
import { dismiss, toasts } from "../state/toasts.js";
import { html } from "../vendor/preact.js";
import { Icon } from "./icon.js";

/** The live region of short messages; it is always there, so that screen readers follow it. */
export function Toasts() {
  return html`
    <div class="toasts" role="status" aria-live="polite">
      ${toasts.value.map(
        ({ id, text, icon, action }) => html`
          <div class="toast" key=${id}>
            <${Icon} name=${icon} />
            <span>${text}</span>
            ${action ? html`<button type="button" onClick=${() => { dismiss(id); action.run(); }}>${action.label}</button>` : null}
            <button type="button" class="close" aria-label=${t("toast.close")} onClick=${() => dismiss(id)}><${Icon} name="x" /></button>
          </div>`,
      )}
    </div>`;
}
