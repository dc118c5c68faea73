import { LANGUAGES, choose, language, t } from "../i18n.js";
import { html } from "../vendor/modules.js";
import { Select } from "./field.js";

/**
 * The language of the page, as a choice.
 *
 * @param {{quiet?: boolean}} props
 */
export function LanguageChoice({ quiet = false }) {
  /** @param {string} chosen */
  const change = (chosen) => {
    choose(/** @type {import("../i18n.js").Language} */ (chosen)).catch(async () => {
      const { toast } = await import("./toasts.js");
      toast(t("error.OFFLINE"), { icon: "triangle-alert" });
    });
  };
  return html`<${Select} id="language" label=${t("language.label")} value=${language.value} choices=${Object.entries(LANGUAGES)} onChange=${change} quiet=${quiet} />`;
}
