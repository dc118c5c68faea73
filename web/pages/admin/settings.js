import { SettingForm } from "../../components/admin/setting-form.js";
import { Failure } from "../../components/failure.js";
import { Heading } from "../../components/frame.js";
import { t } from "../../i18n.js";
import { useScroll } from "../../router.js";
import { useLoad } from "../../state/load.js";
import { html } from "../../vendor/modules.js";

/** @typedef {import("../../api.js").Schemas["Setting"]} Setting */

/** The groups by the beginning of their keys; what fits none is in the last one. */
const GROUPS = ["signIn", "autoApprove", "requestQuota", "session", "audit", "rateLimit", "other"];

/** /admin/settings: every setting that can change at run time. */
export function SettingsPage() {
  const { data, error, retry, set } = useLoad("/admin/config");
  const settings = /** @type {Setting[] | undefined} */ (data);
  useScroll(settings !== undefined);
  /** @param {Setting} changed */
  const change = (changed) => set((/** @type {any} */ now) => now.map((/** @type {Setting} */ each) => (each.key === changed.key ? changed : each)));
  if (!settings) {
    return html`
      <div class="head"><${Heading}>${t("settings.title")}<//></div>
      ${error ? html`<${Failure} error=${error} retry=${retry} />` : html`<div class="panel card" aria-hidden="true" aria-busy="true"><span class="line skel"></span><span class="line skel"></span></div>`}`;
  }
  return html`
    <div class="head"><${Heading}>${t("settings.title")}<//></div>
    <p class="muted lead">${t("settings.lead")}</p>
    ${GROUPS.map((group) => html`<${Group} key=${group} group=${group} settings=${settings.filter(({ key }) => groupOf(key) === group)} onChange=${change} />`)}`;
}

/** @param {{group: string, settings: Setting[], onChange: (setting: Setting) => void}} props */
function Group({ group, settings, onChange }) {
  if (settings.length === 0) {
    return null;
  }
  return html`
    <section class="group" aria-labelledby=${`group-${group}`}>
      <h2 id=${`group-${group}`}>${t(`settings.group.${group}`)}</h2>
      ${settings.map((setting) => html`<${SettingForm} key=${setting.key} setting=${setting} onChange=${onChange} />`)}
    </section>`;
}

/** @param {string} key */
function groupOf(key) {
  const [group = ""] = key.split(".");
  return GROUPS.includes(group) ? group : "other";
}
