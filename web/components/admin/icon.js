import { html } from "../../vendor/modules.js";

const SPRITE = new URL("../../icons-admin.svg", import.meta.url).pathname;

/**
 * An icon of the sprite of the administration; it is decoration, as Icon is.
 *
 * @param {{name: string, class?: string}} props
 */
export function AdminIcon({ name, class: extra = "" }) {
  return html`<svg class=${`icon ${extra}`} aria-hidden="true" focusable="false"><use href=${`${SPRITE}#${name}`} /></svg>`;
}
