import { t } from "../../i18n.js";
import { html, signal } from "../../vendor/modules.js";
import { Dialog } from "../dialog.js";

const STORED = "medianest.shortcuts";
/** @type {[string[], string][]} */
const KEYS = [
  [["j"], "next"],
  [["k"], "previous"],
  [["a"], "approve"],
  [["d"], "decline"],
  [["x"], "select"],
  [["Esc"], "clear"],
  [["/"], "search"],
  [["?"], "help"],
];

/** Whether single keys act; some people switch them off, because they dictate or press keys by chance. */
export const areOn = signal(read());

/** @param {{onClose: () => void}} props */
export function ShortcutHelp({ onClose }) {
  return html`
    <${Dialog} title=${t("shortcuts.title")} onClose=${onClose}>
      <dl class="keys">
        ${KEYS.map(([keys, name]) => html`<div key=${name}><dt>${keys.map((key) => html`<kbd key=${key}>${key}</kbd>`)}</dt><dd>${t(`shortcuts.${name}`)}</dd></div>`)}
      </dl>
      <label class="check"><input type="checkbox" checked=${areOn.value} onChange=${() => write(!areOn.value)} /><span>${t("shortcuts.on")}</span></label>
    <//>`;
}

function read() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

/** @param {boolean} on */
function write(on) {
  areOn.value = on;
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // Storage is off: the choice lasts until the next load.
  }
}
