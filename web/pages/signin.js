import { ApiError, asApiError, call } from "../api.js";
import { Button } from "../components/button.js";
import { Failure, Problem, useRetry } from "../components/failure.js";
import { Field, PasswordField } from "../components/field.js";
import { Heading, Offline } from "../components/frame.js";
import { Icon, Logo } from "../components/icon.js";
import { LanguageChoice } from "../components/language-choice.js";
import { errorText, relative, t } from "../i18n.js";
import { isOwnPath, navigate, place } from "../router.js";
import { cancel, pending, plexUrl, poll, start } from "../state/plex-signin.js";
import { begin, isExpired, loadOptions, options, user } from "../state/session.js";
import { html, useEffect, useState } from "../vendor/modules.js";

const WALL = new URL("../images/wall.svg", import.meta.url).pathname;
const LEAVE = 5000;

/** /signin: with Plex, or with a local account. */
export function SignInPage() {
  const next = nextPath();
  const signedIn = user.value;
  const [signIn, setSignIn] = useState(pending);
  const [failure, setFailure] = useState(/** @type {ApiError | undefined} */ (undefined));
  useEffect(() => {
    if (signedIn) {
      isExpired.value = false;
      navigate(next, { replace: true });
    }
  }, [signedIn]);
  return html`
    <div class="gate">
      <img class="wall" src=${WALL} alt="" />
      <main class="box" id="main" tabindex="-1">
        <${Logo} />
        <${Heading} title=${t("signin.title")}>${options.value?.name ?? "MediaNest"}<//>
        ${signIn && !signedIn
          ? html`<${Waiting} signIn=${signIn} next=${next} onEnd=${(/** @type {ApiError | undefined} */ error) => { setFailure(error); setSignIn(null); }} />`
          : html`<${Choice} next=${next} failure=${failure} onStart=${setSignIn} />`}
        <${Offline} />
        <div class="foot"><${LanguageChoice} /></div>
      </main>
    </div>`;
}

/**
 * The ways to sign in.
 *
 * @param {{next: string, failure: ApiError | undefined, onStart: (signIn: import("../state/plex-signin.js").Pending) => void}} props
 */
function Choice({ next, failure, onStart }) {
  const [loadError, setLoadError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (!options.value) {
      loadOptions().then(() => setLoadError(undefined), (error) => setLoadError(asApiError(error)));
    }
  }, [attempt]);
  if (!options.value) {
    return loadError
      ? html`<${Failure} error=${loadError} retry=${() => setAttempt(attempt + 1)} />`
      : html`<p class="skel" aria-hidden="true"> </p>`;
  }
  return html`
    <p role=${isExpired.value ? "alert" : undefined}>${isExpired.value ? t("signin.expired") : t("signin.lead")}</p>
    ${failure ? html`<p class="note bad" role="alert"><${Icon} name="triangle-alert" /><span>${errorText(failure)}</span></p>` : null}
    ${options.value.plex ? html`<${PlexButton} next=${next} onStart=${onStart} />` : null}
    ${options.value.plex && options.value.local ? html`<div class="or">${t("signin.or")}</div>` : null}
    ${options.value.local ? html`<${LocalForm} />` : null}`;
}

/** @param {{next: string, onStart: (signIn: import("../state/plex-signin.js").Pending) => void}} props */
function PlexButton({ next, onStart }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const signIn = await start();
      location.assign(plexUrl(signIn, returnPath(next)));
      // The page asks nothing while it leaves: the answer to such a call would be lost, and an
      // approval with it. It waits here if Plex's page does not come, or after the way back.
      setTimeout(() => onStart(signIn), LEAVE);
    } catch (caught) {
      setError(asApiError(caught));
      setBusy(false);
    }
  };
  const left = useRetry(error?.code === "RATE_LIMITED" ? error : undefined, () => setError(undefined));
  return html`
    <${Problem} error=${error} />
    <${Button} class="primary wide big" busy=${busy} disabled=${left > 0} onClick=${run}>
      ${left > 0 ? t("failure.retryIn", { seconds: left }) : t("signin.plex")}
    <//>`;
}

/**
 * A sign-in that waits for its approval at Plex.
 *
 * @param {{signIn: import("../state/plex-signin.js").Pending, next: string, onEnd: (error: ApiError | undefined) => void}} props
 */
function Waiting({ signIn, next, onEnd }) {
  const [copied, setCopied] = useState(false);
  // Without https a browser lets no page copy: the link is shown, to be copied by hand.
  const [canCopy, setCanCopy] = useState("clipboard" in navigator);
  useEffect(() => poll(signIn, onEnd), [signIn.pinId]);
  const url = plexUrl(signIn, returnPath(next));
  const copy = () => {
    navigator.clipboard.writeText(signIn.authUrl).then(() => setCopied(true), () => setCanCopy(false));
  };
  const address = options.value?.address;
  return html`
    <p role="status">${t("signin.waiting")}</p>
    <a class="btn primary wide big" href=${url}>${t("signin.continue")}<${Icon} name="arrow-up-right" /></a>
    <ul class="steps small muted">
      <li><${Icon} name="monitor-smartphone" /><span>${t("signin.elsewhere")}</span></li>
    </ul>
    <span class="code">${signIn.code}</span>
    ${canCopy
      ? html`<${Button} class="wide" icon=${copied ? "check" : "copy"} onClick=${copy}>${t(copied ? "signin.copied" : "signin.copy")}<//>`
      : html`<p class="small">${t("signin.copy")}:</p><span class="code">${signIn.authUrl}</span>`}
    <p class="small muted">${address ? t("signin.from", { address }) : ""} ${t("signin.expires", { when: relative(signIn.expiresAt) })}</p>
    <${Button} class="bare wide" onClick=${() => { cancel(); onEnd(undefined); }}>${t("signin.cancel")}<//>`;
}

/** Sign-in with the password of a local account. */
function LocalForm() {
  const [identifier, setIdentifier] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const run = async () => {
    if (!identifier.trim() || !password) {
      setError(new ApiError("FIELDS_MISSING", t("signin.missing")));
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      const { data } = await call("POST", "/auth/login", { body: { identifier, password, session: "cookie" }, anonymous: true });
      begin(/** @type {any} */ (data));
    } catch (caught) {
      setError(asApiError(caught));
      setBusy(false);
    }
  };
  const left = useRetry(error?.code === "RATE_LIMITED" ? error : undefined, () => setError(undefined));
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!busy && left === 0) {
      run();
    }
  };
  return html`
    <form onSubmit=${submit} novalidate>
      <${Field} id="identifier" label=${t("signin.identifier")} value=${identifier} onInput=${setIdentifier} autocomplete="username" maxLength=${254} />
      <${PasswordField} id="password" label=${t("signin.password")} value=${password} onInput=${setPassword} autocomplete="current-password" />
      <${Problem} error=${error} />
      <${Button} class="wide" submit busy=${busy} disabled=${left > 0}>${left > 0 ? t("failure.retryIn", { seconds: left }) : t("signin.local")}<//>
    </form>`;
}

/** Return the place to go to after the sign-in. */
function nextPath() {
  const next = place.value.query.get("next");
  return isOwnPath(next) && !next.startsWith("/signin") ? next : "/";
}

/** @param {string} next */
function returnPath(next) {
  return next === "/" ? "/signin" : `/signin?next=${encodeURIComponent(next)}`;
}
