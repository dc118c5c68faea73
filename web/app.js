/**
 * The start of the page: language and session, then the page of the path.
 */
import { Failure } from "./components/failure.js";
import { Frame, Heading } from "./components/frame.js";
import { Toasts } from "./components/toasts.js";
import { loadLanguage } from "./i18n.js";
import { HomePage } from "./pages/home.js";
import { NotFoundPage } from "./pages/not-found.js";
import { ProfilePage } from "./pages/profile.js";
import { RequestPage } from "./pages/request.js";
import { RequestsPage } from "./pages/requests.js";
import { SearchPage } from "./pages/search.js";
import { SignInPage } from "./pages/signin.js";
import { TitlePage } from "./pages/title.js";
import { currentUrl, navigate, place, start } from "./router.js";
import { asApiError, forget } from "./state/load.js";
import { loadOptions, reload, user, watchTabs } from "./state/session.js";
import { html, render, useEffect, useState } from "./vendor/preact.js";

/** Pages by the pattern of their path; a group of the pattern is a property of the page. */
/** @type {[RegExp, any][]} */
const ROUTES = [
  [/^\/$/, HomePage],
  [/^\/search$/, SearchPage],
  [/^\/(?<mediaType>movie|tv)\/(?<tmdbId>[1-9]\d{0,9})$/, TitlePage],
  [/^\/requests$/, RequestsPage],
  [/^\/requests\/(?<id>[0-9a-f-]{36})$/, RequestPage],
  [/^\/profile$/, ProfilePage],
];

function App() {
  const [error, setError] = useState(/** @type {import("./api.js").ApiError | undefined} */ (undefined));
  const [ready, setReady] = useState(false);
  const load = () => {
    Promise.all([reload(), loadOptions()]).then(() => setReady(true), (caught) => setError(asApiError(caught)));
  };
  useEffect(load, []);
  if (!ready) {
    return error ? html`<main class="boot"><div><${Heading} hidden>MediaNest<//><${Failure} error=${error} retry=${() => { setError(undefined); load(); }} /></div></main>` : null;
  }
  return html`<${Router} /><${Toasts} />`;
}

function Router() {
  const { path } = place.value;
  const signedIn = user.value !== null;
  const id = user.value?.id;
  const isSignIn = path === "/signin";
  useEffect(() => forget, [id]);
  useEffect(() => {
    if (!signedIn && !isSignIn) {
      const next = currentUrl();
      navigate(next === "/" ? "/signin" : `/signin?next=${encodeURIComponent(next)}`, { replace: true });
    }
  }, [signedIn, isSignIn]);
  if (isSignIn) {
    return html`<${SignInPage} />`;
  }
  if (!signedIn) {
    return null;
  }
  for (const [pattern, page] of ROUTES) {
    const match = pattern.exec(path);
    if (match) {
      return html`<${Frame}><${page} ...${match.groups ?? {}} /><//>`;
    }
  }
  return html`<${Frame}><${NotFoundPage} /><//>`;
}

async function main() {
  const container = /** @type {HTMLElement} */ (document.getElementById("app"));
  start();
  watchTabs();
  await loadLanguage();
  // Preact keeps children that it finds.
  container.textContent = "";
  render(html`<${App} />`, container);
}

main().catch((error) => {
  const container = document.getElementById("app");
  if (container) {
    container.textContent = `MediaNest could not start: ${error instanceof Error ? error.message : String(error)}. Reload the page.`;
  }
});

