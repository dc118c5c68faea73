import { asApiError, call } from "../../api.js";
import { AdminIcon } from "../../components/admin/icon.js";
import { Button } from "../../components/button.js";
import { Confirm } from "../../components/dialog.js";
import { Failure, Problem } from "../../components/failure.js";
import { Field } from "../../components/field.js";
import { Heading } from "../../components/frame.js";
import { Icon } from "../../components/icon.js";
import { toast } from "../../components/toasts.js";
import { date, t } from "../../i18n.js";
import { navigate, useScroll } from "../../router.js";
import { useDraft } from "../../state/drafts.js";
import { useLoad } from "../../state/load.js";
import { user as self } from "../../state/session.js";
import { html, useState } from "../../vendor/modules.js";
import { addressOf } from "./users.js";

/**
 * @typedef {import("../../api.js").Schemas["AdminUser"]} AdminUser
 * @typedef {import("../../api.js").ApiError} ApiError
 * @typedef {"role" | "status" | "sessions" | "delete"} Step
 * @typedef {{limit: number | null, days: number}} Quota
 */

const KINDS = /** @type {["movies", "seasons"]} */ (["movies", "seasons"]);
const MOST = 1000;
const MOST_DAYS = 365;

/**
 * /admin/users/:id: one person, and what an admin may do about them.
 *
 * @param {{id: string}} props
 */
export function UserPage({ id }) {
  const { data, error, retry, set } = useLoad(`/admin/users/${id}`);
  const admins = useLoad("/admin/users?role=admin&status=active&limit=2");
  const account = /** @type {AdminUser | undefined} */ (data);
  useScroll(account !== undefined);
  const isGone = error?.code === "NOT_FOUND";
  const isLastAdmin = account?.role === "admin" && account.status === "active" && /** @type {unknown[] | undefined} */ (admins.data)?.length === 1;
  return html`
    <a class="back" href="/admin/users"><${Icon} name="chevron-left" />${t("users.title")}</a>
    ${account && !isGone
      ? html`<${Account} key=${account.id} account=${account} isLastAdmin=${isLastAdmin} onChange=${(/** @type {AdminUser} */ changed) => { set(changed); admins.retry(); }} onLast=${admins.retry} onGone=${retry} />`
      : html`<${Heading} hidden>${t("users.one")}<//>${error
          ? isGone ? html`<${Gone} />` : html`<${Failure} error=${error} retry=${retry} />`
          : html`<div class="panel card" aria-hidden="true" aria-busy="true"><span class="line skel"></span><span class="line skel"></span></div>`}`}`;
}

/** In place of a person who was deleted, here or by another admin. */
function Gone() {
  return html`
    <div class="state" role="alert">
      <${AdminIcon} name="users" />
      <h2>${t("users.gone")}</h2>
      <p>${t("users.goneHint")}</p>
      <a class="btn primary" href="/admin/users">${t("users.toAll")}</a>
    </div>`;
}

/** @param {{account: AdminUser, isLastAdmin: boolean, onChange: (account: AdminUser) => void, onLast: () => void, onGone: () => void}} props */
function Account({ account, isLastAdmin, onChange, onLast, onGone }) {
  const [step, setStep] = useState(/** @type {Step | null} */ (null));
  const isSelf = account.id === self.value?.id;
  const isAdmin = account.role === "admin";
  const isActive = account.status === "active";
  // Of oneself the API would allow some of it; each ends the session in which one does it.
  const why = isLastAdmin ? t("users.lastAdmin") : isSelf ? t("users.self") : "";
  const name = account.username;
  return html`
    <div class="head"><${Heading}>${name}<//></div>
    <div class="panels">
      <section class="panel">
        <p>${addressOf(account) || t("users.noEmail")}</p>
        <p class="muted">${[t(`users.role.${account.role}`), t(account.plexId ? "users.plex" : "users.local"), t("users.since", { date: date(account.createdAt) })].join(" · ")}</p>
        ${isActive ? null : html`<p class="note bad"><${AdminIcon} name="ban" /><span>${t("users.isSuspended")}</span></p>`}
        <p class="links"><a href=${`/admin/requests?status=all&userId=${account.id}`}>${t("users.theirRequests")}</a> <a href=${`/admin/audit?userId=${account.id}`}>${t("users.theirActions")}</a></p>
      </section>
      <${Quotas} account=${account} onChange=${onChange} onGone=${onGone} />
      <section class="panel">
        <h2>${t("users.access")}</h2>
        ${why ? html`<p class="note info" id="why-off"><${Icon} name="info" /><span>${why}</span></p>` : null}
        <div class="btns start">
          <${Button} disabled=${why !== ""} describedBy=${why ? "why-off" : undefined} onClick=${() => setStep("role")}>${t(isAdmin ? "users.makeMember" : "users.makeAdmin")}<//>
          <${Button} class=${isActive ? "bad" : ""} disabled=${why !== ""} describedBy=${why ? "why-off" : undefined} onClick=${() => setStep("status")}>${t(isActive ? "users.suspend" : "users.unsuspend")}<//>
          <${Button} onClick=${() => setStep("sessions")}>${t("users.endSessions")}<//>
          <${Button} class="bad" disabled=${why !== ""} describedBy=${why ? "why-off" : undefined} onClick=${() => setStep("delete")}><${AdminIcon} name="trash-2" />${t("users.delete")}<//>
        </div>
      </section>
    </div>
    ${step ? html`<${StepDialog} key=${step} step=${step} account=${account} onClose=${() => setStep(null)} onChange=${onChange} onLast=${onLast} onGone=${onGone} />` : null}`;
}

/**
 * The confirmation of a step: it names the person, and says what follows.
 *
 * @param {{step: Step, account: AdminUser, onClose: () => void, onChange: (account: AdminUser) => void, onLast: () => void, onGone: () => void}} props
 */
function StepDialog({ step, account, onClose, onChange, onLast, onGone }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const [typed, setTyped] = useState("");
  const { id, username: name } = account;
  const key = keyOf(step, account);
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await stepCall(step, account, onChange);
      onClose();
      toast(t(`users.done.${key}`, { name }));
      if (step === "delete") {
        navigate("/admin/users");
      }
    } catch (caught) {
      const failure = asApiError(caught);
      setError(failure);
      setBusy(false);
      if (failure.code === "NOT_FOUND") {
        onClose();
        onGone();
      } else if (failure.code === "LAST_ADMIN") {
        onLast();
      }
    }
  };
  return html`
    <${Confirm} title=${t(`users.ask.${key}`, { name })} action=${t(`users.act.${key}`)} isBad=${key !== "makeAdmin" && key !== "unsuspend"} busy=${busy} error=${error}
      disabled=${step === "delete" && typed !== name} onConfirm=${run} onClose=${onClose}>
      <p>${t(`users.means.${key}`, { name })}</p>
      ${step === "delete" ? html`<${Field} id=${`delete-${id}`} label=${t("users.typeName", { name })} value=${typed} onInput=${setTyped} isFirst />` : null}
    <//>`;
}

/**
 * @param {Step} step
 * @param {AdminUser} account
 * @returns {"makeAdmin" | "makeMember" | "suspend" | "unsuspend" | "sessions" | "delete"}
 */
function keyOf(step, { role, status }) {
  if (step === "role") {
    return role === "admin" ? "makeMember" : "makeAdmin";
  }
  return step === "status" ? (status === "active" ? "suspend" : "unsuspend") : step;
}

/**
 * @param {Step} step
 * @param {AdminUser} account
 * @param {(account: AdminUser) => void} onChange
 */
async function stepCall(step, { id, role, status }, onChange) {
  if (step === "sessions") {
    await call("DELETE", `/admin/users/${id}/sessions`);
  } else if (step === "delete") {
    await call("DELETE", `/admin/users/${id}`);
  } else {
    const body = step === "role" ? { role: role === "admin" ? "user" : "admin" } : { status: status === "active" ? "suspended" : "active" };
    const { data } = await call("PATCH", `/admin/users/${id}`, { body });
    onChange(/** @type {AdminUser} */ (data));
  }
}

/**
 * The quotas of one person, or those of the role.
 *
 * @param {{account: AdminUser, onChange: (account: AdminUser) => void, onGone: () => void}} props
 */
function Quotas({ account, onChange, onGone }) {
  const own = /** @type {Partial<Record<"movies" | "seasons", Quota>>} */ (account.quota ?? {});
  const saved = { movies: asTyped(own.movies), seasons: asTyped(own.seasons) };
  const [draft, setDraft, drop] = useDraft(`quota:${account.id}`, /** @type {Partial<typeof saved>} */ ({}));
  const typed = { ...saved, ...draft };
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  // Only what is changed here: of the other kind, another admin may have changed it meanwhile.
  const changed = KINDS.filter((kind) => JSON.stringify(asSent(typed[kind])) !== JSON.stringify(asSent(saved[kind])));
  const isChanged = changed.length > 0;
  const isValid = changed.every((kind) => {
    const { mode, limit, days } = typed[kind];
    return mode !== "own" || (isWhole(limit, 0, MOST) && isWhole(days, 1, MOST_DAYS));
  });
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const quota = Object.fromEntries(changed.map((kind) => [kind, asSent(typed[kind])]));
      const { data } = await call("PATCH", `/admin/users/${account.id}`, { body: { quota } });
      setDraft({});
      drop();
      onChange(/** @type {AdminUser} */ (data));
      toast(t("users.quotaSaved", { name: account.username }));
    } catch (caught) {
      const failure = asApiError(caught);
      setError(failure);
      if (failure.code === "NOT_FOUND") {
        onGone();
      }
    }
    setBusy(false);
  };
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (isChanged && isValid && !busy) {
      run();
    }
  };
  return html`
    <section class="panel">
      <h2>${t("users.quota")}</h2>
      <form onSubmit=${submit} novalidate>
        ${KINDS.map((kind) => html`<${QuotaFields} key=${kind} kind=${kind} typed=${typed[kind]} onInput=${(/** @type {Typed} */ next) => setDraft({ ...draft, [kind]: next })} />`)}
        <${Problem} error=${error} />
        <${Button} submit class="primary" busy=${busy} disabled=${!isChanged || !isValid}>${t("users.saveQuota")}<//>
      </form>
    </section>`;
}

/** @typedef {{mode: "role" | "none" | "own", limit: string, days: string}} Typed */

/** @param {{kind: "movies" | "seasons", typed: Typed, onInput: (typed: Typed) => void}} props */
function QuotaFields({ kind, typed, onInput }) {
  const { mode, limit, days } = typed;
  return html`
    <fieldset class="quota">
      <legend>${t(`users.quota.${kind}`)}</legend>
      ${/** @type {const} */ (["role", "none", "own"]).map(
        (each) => html`<label class="check" key=${each}><input type="radio" name=${`quota-${kind}`} checked=${mode === each} onChange=${() => onInput({ ...typed, mode: each })} /><span>${t(`users.quota.${each}`)}</span></label>`,
      )}
      ${mode === "own"
        ? html`<div class="columns">
            <${Field} id=${`${kind}-limit`} label=${t("users.limit")} value=${limit} onInput=${(/** @type {string} */ next) => onInput({ ...typed, limit: next })} isNumber problem=${isWhole(limit, 0, MOST) ? undefined : t("users.between", { least: 0, most: MOST })} />
            <${Field} id=${`${kind}-days`} label=${t("users.days")} value=${days} onInput=${(/** @type {string} */ next) => onInput({ ...typed, days: next })} isNumber problem=${isWhole(days, 1, MOST_DAYS) ? undefined : t("users.between", { least: 1, most: MOST_DAYS })} />
          </div>`
        : null}
    </fieldset>`;
}

/**
 * @param {Quota | undefined} quota
 * @returns {Typed}
 */
function asTyped(quota) {
  return { mode: !quota ? "role" : quota.limit === null ? "none" : "own", limit: String(quota?.limit ?? 5), days: String(quota?.days ?? 7) };
}

/** @param {Typed} typed */
function asSent({ mode, limit, days }) {
  return mode === "role" ? null : { limit: mode === "none" ? null : Number(limit), days: isWhole(days, 1, MOST_DAYS) ? Number(days) : mode === "none" ? 7 : days };
}

/**
 * @param {string} text
 * @param {number} least
 * @param {number} most
 */
function isWhole(text, least, most) {
  return /^\d{1,4}$/.test(text.trim()) && Number(text) >= least && Number(text) <= most;
}
