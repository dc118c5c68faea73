import { html } from "../vendor/modules.js";

/**
 * A segmented control: one of a few is pressed. A choice is its key, its text, and a number beside it.
 *
 * @param {{label: string, value: string, choices: ([string, string] | [string, string, number | undefined])[], onChange: (value: string) => void}} props
 */
export function Segmented({ label, value, choices, onChange }) {
  return html`
    <div class="seg" role="group" aria-label=${label}>
      ${choices.map(
        ([key, text, number]) => html`<button key=${key} type="button" aria-pressed=${key === value ? "true" : "false"} onClick=${() => onChange(key)}>${text}${number === undefined ? null : html` <span class="number">${number}</span>`}</button>`,
      )}
    </div>`;
}
