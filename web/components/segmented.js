import { html } from "../vendor/modules.js";

/**
 * A segmented control: one of a few is pressed.
 *
 * @param {{label: string, value: string, choices: [string, string][], onChange: (value: string) => void}} props
 */
export function Segmented({ label, value, choices, onChange }) {
  return html`
    <div class="seg" role="group" aria-label=${label}>
      ${choices.map(
        ([key, text]) => html`<button key=${key} type="button" aria-pressed=${key === value ? "true" : "false"} onClick=${() => onChange(key)}>${text}</button>`,
      )}
    </div>`;
}
