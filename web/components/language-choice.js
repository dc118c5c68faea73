import { LANGUAGES, choose, language, t } from "../i18n.js";
import { toast } from "../state/toasts.js";
import { html } from "../vendor/preact.js";
import { Select } from "./field.js";

/** The language of the page, as a choice. */
export function LanguageChoice() {
  /** @param {string} chosen */
  const change = (chosen) => {
    choose(/** @type {import("../i18n.js").Language} */ (chosen)).catch(() => toast(t("error.OFFLINE"), { icon: "triangle-alert" }));
  };
  return html`<${Select} id="language" label=${t("language.label")} value=${language.value} choices=${Object.entries(LANGUAGES)} onChange=${change} />`;
}
