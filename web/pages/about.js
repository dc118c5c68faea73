import { Failure } from "../components/failure.js";
import { Heading } from "../components/frame.js";
import { Logo } from "../components/icon.js";
import { t } from "../i18n.js";
import { useScroll } from "../router.js";
import { useLoad } from "../state/load.js";
import { html } from "../vendor/modules.js";

/** TMDB's terms of use ask for these words, which are not translated, and for its logo. */
const TMDB_LOGO = new URL("../images/tmdb.svg", import.meta.url).pathname;
const TMDB = "This product uses the TMDB API but is not endorsed or certified by TMDB.";
const LICENCES = new URL("../vendor/LICENSES.txt", import.meta.url).pathname;
const LICENCE = new URL("../LICENSE.txt", import.meta.url).pathname;

/** /about: version, licences, where the data comes from. */
export function AboutPage() {
  const { data, error, retry } = useLoad("/health");
  const health = /** @type {import("../api.js").Schemas["Health"] | undefined} */ (data);
  useScroll(true);
  return html`
    <div class="head"><${Heading}>${t("about.title")}<//></div>
    <div class="panels">
      <section class="panel about">
        <${Logo} />
        <div><p><b>MediaNest</b></p>
        ${health ? html`<p class="muted">${t("about.version", { version: health.version })}</p>` : error ? null : html`<p class="skel small" aria-hidden="true"> </p>`}</div>
      </section>
      ${error && !health ? html`<${Failure} error=${error} retry=${retry} />` : null}
      <section class="panel"><h2>${t("about.data")}</h2><p>${t("about.tmdb")}</p>
        <p><img src=${TMDB_LOGO} alt="The Movie Database" width="48" height="48" /></p><p lang="en">${TMDB}</p></section>
      <section class="panel"><h2>${t("about.licences")}</h2>
        <p>${t("about.licence")} <a href=${LICENCE} target="_blank" rel="noopener">${t("about.readLicence")}</a></p>
        <p>${t("about.vendored")} <a href=${LICENCES} target="_blank" rel="noopener">${t("about.readVendored")}</a></p>
      </section>
      <section class="panel"><h2>${t("about.programs")}</h2><p>${t("about.api")} <a href="/api/docs">${t("about.readApi")}</a></p></section>
    </div>`;
}
