import { t } from "../i18n.js";
import { html } from "../vendor/modules.js";
import { Icon } from "./icon.js";

/**
 * A button that keeps its size and its focus while it is busy; a second click then does nothing.
 *
 * @param {{children?: any, class?: string, icon?: string, busy?: boolean, disabled?: boolean, submit?: boolean,
 *   label?: string, describedBy?: string, onClick?: () => void}} props
 */
export function Button({ children, class: extra = "", icon, busy = false, disabled = false, submit = false, label, describedBy, onClick }) {
  const off = busy || disabled;
  /** @param {Event} event */
  const click = (event) => {
    if (off) {
      event.preventDefault();
    } else {
      onClick?.();
    }
  };
  return html`
    <button type=${submit ? "submit" : "button"} class=${`btn ${extra}`} aria-disabled=${off ? "true" : undefined}
      aria-busy=${busy ? "true" : undefined} aria-label=${label} aria-describedby=${describedBy} onClick=${click}>
      ${busy ? html`<${Icon} name="loader-circle" class="busy spin" /><span class="vh">${t("busy")}</span>` : null}
      <span class="label">${icon ? html`<${Icon} name=${icon} />` : null}<span>${children}</span></span>
    </button>`;
}
