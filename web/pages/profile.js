import { asApiError, call } from "../api.js";
import { Button } from "../components/button.js";
import { Failure, Problem, useRetry } from "../components/failure.js";
import { PasswordField, useRefusals } from "../components/field.js";
import { Heading } from "../components/frame.js";
import { Icon } from "../components/icon.js";
import { LanguageChoice } from "../components/language-choice.js";
import { Meter } from "../components/meter.js";
import { PasswordRules, refusalText, rulesOf } from "../components/password-rules.js";
import { date, errorText, relative, t } from "../i18n.js";
import { useScroll } from "../router.js";
import { useLoad } from "../state/load.js";
import { options, signOut, user } from "../state/session.js";
import { toast } from "../components/toasts.js";
import { html, useState } from "../vendor/modules.js";

/**
 * @typedef {import("../api.js").Schemas["Session"]} Session
 * @typedef {import("../api.js").Schemas["Quotas"]} Quotas
 * @typedef {import("../api.js").ApiError} ApiError
 */

/** /profile: the account, its quotas, language and password, and last its sessions, whose number is not known before. */
export function ProfilePage() {
  useScroll(true);
  const sessions = useLoad("/auth/sessions");
  const account = user.value;
  if (!account) {
    return null;
  }
  return html`
    <div class="head"><${Heading} title=${t("profile.title")}>${account.username}<//></div>
    <div class="panels">
      <section class="panel">
        <p>${account.email?.endsWith("@plex.invalid") ? t("profile.noEmail") : account.email}</p>
        <p class="muted">${t(`profile.role.${account.role}`)} · ${t(account.plexId ? "profile.plex" : "profile.local")} · ${t("profile.since", { date: date(account.createdAt) })}</p>
        ${options.value?.secureCookie === false ? html`<p class="note info"><${Icon} name="info" /><span>${t("profile.insecure")}</span></p>` : null}
      </section>
      <${QuotaPanel} />
      <section class="panel"><h2>${t("profile.language")}</h2><${LanguageChoice} quiet /></section>
      ${account.plexId ? null : html`<${Password} username=${account.username} email=${account.email ?? ""} onChanged=${sessions.retry} />`}
      <${Sessions} load=${sessions} />
      <p><a href="/about">${t("about.title")}</a></p>
    </div>`;
}

function QuotaPanel() {
  const { data, error, retry } = useLoad("/media/quota");
  const quotas = /** @type {Quotas | undefined} */ (data);
  return html`
    <section class="panel">
      <h2>${t("profile.quota")}</h2>
      <div class="quotas">
        ${error && !quotas ? html`<${Failure} error=${error} retry=${retry} level=${3} />` : null}
        ${quotas?.movies ? html`<${Meter} kind="movies" quota=${quotas.movies} />` : null}
        ${quotas?.seasons ? html`<${Meter} kind="seasons" quota=${quotas.seasons} />` : null}
        ${quotas && !quotas.movies && !quotas.seasons ? html`<p class="muted">${t("quota.none")}</p>` : null}
        ${quotas || error ? null : html`<p class="skel small" aria-hidden="true"> </p>`}
      </div>
    </section>`;
}

/** @param {{load: import("../state/load.js").Loaded<unknown>}} props */
function Sessions({ load: { data, error, retry, set } }) {
  const sessions = /** @type {Session[] | undefined} */ (data);
  const [busy, setBusy] = useState("");
  /**
   * @param {string} what
   * @param {() => Promise<void>} run
   */
  const doing = async (what, run) => {
    setBusy(what);
    try {
      await run();
    } catch (caught) {
      toast(errorText(asApiError(caught)), { icon: "triangle-alert" });
    }
    setBusy("");
  };
  /** @param {Session} session */
  const end = async (session) => {
    try {
      await call("DELETE", `/auth/sessions/${session.id}`);
    } catch (caught) {
      if (asApiError(caught).code !== "NOT_FOUND") {
        throw caught;
      }
    }
    set((/** @type {any} */ now) => now.filter((/** @type {Session} */ each) => each.id !== session.id));
    toast(t("sessions.ended"));
  };
  return html`
    <section class="panel">
      <h2>${t("sessions.title")}</h2>
      <div class="btns">
        <${Button} icon="log-out" busy=${busy === "here"} onClick=${() => doing("here", () => signOut(false))}>${t("sessions.signOut")}<//>
        <${Button} class="bad" busy=${busy === "all"} onClick=${() => doing("all", () => signOut(true))}>${t("sessions.everywhere")}<//>
      </div>
      ${error && !sessions ? html`<${Failure} error=${error} retry=${retry} level=${3} />` : null}
      <ul class="rows">
        ${(sessions ?? []).map(
          (session) => html`
            <li class="row" key=${session.id}>
              <div class="what">
                <p><b>${device(session.userAgent ?? "")}</b>${session.current ? html` <span class="badge approved"><${Icon} name="check" />${t("sessions.current")}</span>` : null}</p>
                <p class="small muted">${t("sessions.about", { address: session.ip, seen: relative(session.lastSeenAt), began: date(session.createdAt) })}</p>
              </div>
              ${session.current ? null : html`<div class="acts"><${Button} busy=${busy === session.id} label=${t("sessions.endOf", { device: device(session.userAgent ?? "") })} onClick=${() => doing(session.id, () => end(session))}>${t("sessions.end")}<//></div>`}
            </li>`,
        )}
        ${sessions || error ? null : html`<li class="row" aria-hidden="true"><div class="what card"><span class="line skel"></span><span class="line skel"></span></div></li>`}
      </ul>
    </section>`;
}

/** @param {{username: string, email: string, onChanged: () => void}} props */
function Password({ username, email, onChanged }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const [form, tried] = useRefusals(busy);
  const rules = rulesOf(next, username, email);
  const ready = current !== "" && rules.every(([, met]) => met);
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await call("POST", "/auth/password", { body: { currentPassword: current, newPassword: next }, anonymous: true });
      setCurrent("");
      setNext("");
      toast(t("password.changed"));
      // The others are signed out.
      onChanged();
    } catch (caught) {
      setError(asApiError(caught));
    }
    setBusy(false);
  };
  const left = useRetry(error?.code === "RATE_LIMITED" ? error : undefined, () => setError(undefined));
  const problems = /** @type {{message: string}[]} */ (error?.code === "VALIDATION_ERROR" && Array.isArray(error.details) ? error.details : []);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (ready && !busy && left === 0) {
      tried();
      run();
    }
  };
  return html`
    <section class="panel">
      <h2>${t("password.title")}</h2>
      <form ref=${form} onSubmit=${submit}>
        <input class="vh" type="text" name="username" value=${username} autocomplete="username" tabindex="-1" aria-hidden="true" readonly />
        <${PasswordField} id="current-password" label=${t("password.current")} value=${current} onInput=${setCurrent} autocomplete="current-password" problem=${error?.code === "INVALID_CREDENTIALS" ? t("password.wrong") : undefined} />
        <${PasswordField} id="new-password" label=${t("password.new")} value=${next} onInput=${setNext} autocomplete="new-password" describedBy="password-rules" problem=${refusalText(problems)} />
        <${PasswordRules} id="password-rules" rules=${rules} />
        <${Problem} error=${error && error.code !== "INVALID_CREDENTIALS" && problems.length === 0 ? error : undefined} />
        <${Button} submit class="primary" icon="key-round" busy=${busy} disabled=${!ready || left > 0}>${left > 0 ? t("failure.retryIn", { seconds: left }) : t("password.change")}<//>
      </form>
    </section>`;
}

/**
 * Return a short name of a client from its User-Agent, the parts that people know.
 *
 * @param {string} userAgent
 */
function device(userAgent) {
  const browser = ["Edg", "OPR", "Firefox", "Chrome", "Safari"].find((name) => userAgent.includes(`${name}/`));
  const system = ["iPhone", "iPad", "Android", "Windows", "Mac OS X", "Linux"].find((name) => userAgent.includes(name));
  const names = { Edg: "Edge", OPR: "Opera", "Mac OS X": "macOS" };
  const read = (/** @type {string | undefined} */ name) => (name ? (/** @type {Record<string, string>} */ (names)[name] ?? name) : undefined);
  if (browser && system) {
    return t("sessions.device", { browser: read(browser) ?? "", system: read(system) ?? "" });
  }
  return read(browser ?? system) ?? (userAgent.split("/")[0] || t("sessions.unknown"));
}
