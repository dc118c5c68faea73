import { Heading } from "../components/frame.js";
import { Icon } from "../components/icon.js";
import { t } from "../i18n.js";
import { html } from "../vendor/modules.js";

/** A path that the page does not have. */
export function NotFoundPage() {
  return html`<div class="state"><${Icon} name="compass" /><${Heading}>${t("missing.title")}<//><p>${t("missing.hint")}</p><a class="btn primary" href="/">${t("failure.home")}</a></div>`;
}
