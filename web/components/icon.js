import { html } from "../vendor/modules.js";

const SPRITE = new URL("../icons.svg", import.meta.url).pathname;

/**
 * The logo; without a label it is decoration.
 *
 * @param {{label?: string}} props
 */
export function Logo({ label }) {
  return html`<svg class="logo" role=${label ? "img" : undefined} aria-label=${label} aria-hidden=${label ? undefined : "true"} focusable="false"><use href=${`${SPRITE}#logo`} /></svg>`;
}

/**
 * An icon of the sprite; it is decoration, so the text beside it has the meaning.
 *
 * @param {{name: string, class?: string}} props
 */
export function Icon({ name, class: extra = "" }) {
  return html`<svg class=${`icon ${extra}`} aria-hidden="true" focusable="false"><use href=${`${SPRITE}#${name}`} /></svg>`;
}
