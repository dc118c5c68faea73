/**
 * The start of the page: language and session, then the page of the path.
 */
import { asApiError } from "./api.js";
import { Failure } from "./components/failure.js";
import { keepFocus } from "./components/focus.js";
import { Frame, Heading, Page, fetchPage, find } from "./components/frame.js";
import { Logo } from "./components/icon.js";
import { loadLanguage, loadTexts } from "./i18n.js";
import { currentUrl, navigate, place, start } from "./router.js";
import { loadOptions, reload, user, wasSignedIn, watchTabs } from "./state/session.js";
import { html, render, useEffect, useState } from "./vendor/modules.js";

// With the modules that the page imports: otherwise each is asked for after the one that imports it.
const home = () =>
  Promise.all([
    import("./pages/home.js"),
    import("./components/title-card.js"),
    import("./components/badge.js"),
    import("./components/poster.js"),
    import("./state/load.js"),
  ]);
const signIn = () =>
  Promise.all([
    import("./pages/signin.js"),
    import("./components/field.js"),
    import("./components/language-choice.js"),
    import("./state/plex-signin.js"),
  ]);

/**
 * A page that has texts besides those of the first pages.
 *
 * @param {Promise<any>} module
 */
const page = (module) => Promise.all([module, loadTexts("pages")]).then(([loaded]) => loaded);

/**
 * Pages by the pattern of their path, loaded on their first visit. A group of the pattern is a
 * property of the page.
 *
 * @type {import("./components/frame.js").Routes}
 */
const ROUTES = [
  [/^\/$/, () => home().then(([module]) => module.HomePage)],
  [/^\/signin$/, () => signIn().then(([module]) => module.SignInPage)],
  [/^\/search$/, () => page(import("./pages/search.js")).then((module) => module.SearchPage)],
  [/^\/(?<mediaType>movie|tv)\/(?<tmdbId>[1-9]\d{0,9})$/, () => page(import("./pages/title.js")).then((module) => module.TitlePage)],
  [/^\/requests$/, () => page(import("./pages/requests.js")).then((module) => module.RequestsPage)],
  [/^\/requests\/(?<id>[0-9a-f-]{36})$/, () => page(import("./pages/request.js")).then((module) => module.RequestPage)],
  [/^\/profile$/, () => page(import("./pages/profile.js")).then((module) => module.ProfilePage)],
  [/^\/about$/, () => page(import("./pages/about.js")).then((module) => module.AboutPage)],
  [/^\/admin(\/|$)/, () => import("./admin.js").then((module) => module.prepare())],
];

/** @param {{starting: Promise<void>}} props */
function App({ starting }) {
  const [error, setError] = useState(/** @type {import("./api.js").ApiError | undefined} */ (undefined));
  const [ready, setReady] = useState(false);
  const load = (/** @type {Promise<void>} */ starting) => {
    starting.then(() => setReady(true), (caught) => setError(asApiError(caught)));
  };
  useEffect(() => load(starting), []);
  if (ready) {
    return html`<${Router} />`;
  }
  return error
    ? html`<main class="boot"><div><${Heading} hidden>MediaNest<//><${Failure} error=${error} retry=${() => { setError(undefined); load(loadAll()); }} /></div></main>`
    : html`<div class="boot"><${Logo} label="MediaNest" /></div>`;
}

function Router() {
  const { path } = place.value;
  const signedIn = user.value !== null;
  const isSignIn = path === "/signin";
  useEffect(() => {
    if (!signedIn && !isSignIn) {
      const next = currentUrl();
      navigate(next === "/" ? "/signin" : `/signin?next=${encodeURIComponent(next)}`, { replace: true });
    }
  }, [signedIn, isSignIn]);
  const { load, parameters } = find(ROUTES, path);
  if (isSignIn) {
    return html`<${Page} key="signin" load=${load} />`;
  }
  return signedIn ? html`<${Frame}><${Page} load=${load} ...${parameters} /><//>` : null;
}

/** Load the session and, meanwhile, the page that the user will probably get. */
async function loadAll() {
  const page = fetchPage(find(ROUTES, wasSignedIn() ? place.value.path : "/signin").load).catch(() => undefined);
  await Promise.all([reload(), loadOptions(), page]);
  await fetchPage(find(ROUTES, user.value ? place.value.path : "/signin").load).catch(() => undefined);
}

async function main() {
  const container = /** @type {HTMLElement} */ (document.getElementById("app"));
  start();
  keepFocus();
  watchTabs();
  const texts = loadLanguage();
  const starting = loadAll();
  // Its failure shows once the texts are there.
  starting.catch(() => undefined);
  await texts;
  // Preact keeps children that it finds.
  container.textContent = "";
  render(html`<${App} starting=${starting} />`, container);
}

main().catch((error) => {
  const container = document.getElementById("app");
  if (container) {
    container.textContent = `MediaNest could not start: ${error instanceof Error ? error.message : String(error)}. Reload the page.`;
  }
});
