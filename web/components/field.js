import { t } from "../i18n.js";
import { html, useEffect, useRef, useState } from "../vendor/modules.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

/**
 * A labelled text field.
 *
 * @param {{id: string, label: string, value: string, onInput: (value: string) => void, hint?: string, problem?: string | undefined,
 *   autocomplete?: string, maxLength?: number, multiline?: boolean, describedBy?: string | undefined, isFirst?: boolean, isNumber?: boolean,
 *   isEmail?: boolean}} props
 *   `isFirst` gets the focus in a dialog
 */
export function Field({ id, label, value, onInput, hint, problem, autocomplete = "off", maxLength, multiline = false, describedBy, isFirst = false, isNumber = false, isEmail = false }) {
  const described = [describedBy, problem ? `${id}-problem` : undefined].filter(Boolean).join(" ") || undefined;
  const shared = {
    id,
    value,
    maxLength,
    autocomplete,
    // A name, an address or a number, which a phone must not mend; a note may be.
    ...(multiline ? {} : { autocapitalize: "none", autocorrect: false, spellcheck: false }),
    "aria-invalid": problem ? "true" : undefined,
    "aria-describedby": described,
    "data-focus": isFirst ? "" : undefined,
    inputMode: isNumber ? "numeric" : isEmail ? "email" : undefined,
    onInput: (/** @type {any} */ event) => onInput(event.currentTarget.value),
  };
  return html`
    <div class="field">
      <label class="name" for=${id}><span>${label}</span>${hint ? html`<span class="hint">${hint}</span>` : null}</label>
      ${multiline ? html`<textarea ...${shared}></textarea>` : html`<input type="text" ...${shared} />`}
      ${problem ? html`<span class="problem" id=${`${id}-problem`}>${problem}</span>` : null}
    </div>`;
}

/**
 * A field for a password, which can be shown.
 *
 * @param {{id: string, label: string, value: string, onInput: (value: string) => void, autocomplete: string, describedBy?: string, problem?: string | undefined}} props
 */
export function PasswordField({ id, label, value, onInput, autocomplete, describedBy, problem }) {
  const [shown, setShown] = useState(false);
  const described = [describedBy, problem ? `${id}-problem` : undefined].filter(Boolean).join(" ") || undefined;
  return html`
    <div class="field">
      <label class="name" for=${id}>${label}</label>
      <span class="with-button">
        <input id=${id} type=${shown ? "text" : "password"} value=${value} autocomplete=${autocomplete} autocapitalize="none" autocorrect=${false} spellcheck=${false}
          maxlength="128" aria-describedby=${described} aria-invalid=${problem ? "true" : undefined}
          onInput=${(/** @type {any} */ event) => onInput(event.currentTarget.value)} />
        <${Button} class="bare" label=${t(shown ? "password.hide" : "password.show")} onClick=${() => setShown(!shown)}>
          <${Icon} name=${shown ? "eye-off" : "eye"} />
        <//>
      </span>
      ${problem ? html`<span class="problem" id=${`${id}-problem`}>${problem}</span>` : null}
    </div>`;
}

/**
 * Move the focus to the first field that is refused, which then reads its problem; the button that
 * was pressed says nothing.
 *
 * @param {boolean} busy Whether the answer is not there yet
 * @returns {[{current: any}, () => void]} The `ref` of the form, and a function to call when it is submitted
 */
export function useRefusals(busy) {
  const form = useRef(/** @type {HTMLElement | null} */ (null));
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const first = busy || !tries ? null : form.current?.querySelector("[aria-invalid]");
    if (first instanceof HTMLElement) {
      first.focus();
    }
  }, [busy, tries]);
  return [form, () => setTries((count) => count + 1)];
}

/**
 * A labelled choice of one in a few.
 *
 * @param {{id: string, label: string, value: string, choices: [string, string][], onChange: (value: string) => void, quiet?: boolean}} props
 *   `quiet` where a heading has the label already
 */
export function Select({ id, label, value, choices, onChange, quiet = false }) {
  return html`
    <span class="select">
      <label class=${quiet ? "vh" : "name"} for=${id}>${label}</label>
      <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => onChange(event.currentTarget.value)}>
        ${choices.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
      </select>
    </span>`;
}
