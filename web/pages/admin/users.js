import { asApiError, call } from "../../api.js";
import { AdminIcon } from "../../components/admin/icon.js";
import { Button } from "../../components/button.js";
import { Confirm } from "../../components/dialog.js";
import { Failure } from "../../components/failure.js";
import { Field, PasswordField, Select } from "../../components/field.js";
import { Heading, initial } from "../../components/frame.js";
import { Icon } from "../../components/icon.js";
import { More } from "../../components/more.js";
import { PasswordRules, refusalText, rulesOf } from "../../components/password-rules.js";
import { RowSkeleton } from "../../components/request-row.js";
import { Segmented } from "../../components/segmented.js";
import { endSearch } from "../../components/shortcuts.js";
import { toast } from "../../components/toasts.js";
import { date, t } from "../../i18n.js";
import { link, navigate, place, useScroll } from "../../router.js";
import { useDraft } from "../../state/drafts.js";
import { choices, oneOf, pagesOf, unlessAll } from "../../state/filters.js";
import { useList } from "../../state/load.js";
import { useSettled } from "../../state/settled.js";
import { html, useState } from "../../vendor/modules.js";

/**
 * @typedef {import("../../api.js").Schemas["User"]} User
 * @typedef {import("../../state/load.js").LoadedList<User>} UserList
 * @typedef {import("../../api.js").ApiError} ApiError
 */

const STATUSES = ["active", "suspended"];
const ROLES = ["all", "admin", "user"];
const SORTS = ["username", "-username", "-createdAt", "createdAt", "email"];
const MOST_PAGES = 100;

/** /admin/users: everybody who can sign in, or could until a suspension. */
export function UsersPage() {
  const filters = filtersOf(place.value.query);
  const [isCreating, setCreating] = useState(false);
  const list = /** @type {UserList} */ (
    useList(
      link("/admin/users", { search: useSettled(filters.search.trim()), status: filters.status, role: unlessAll(filters.role), sort: filters.sort, limit: 50 }),
      filters.page,
      ({ id }) => id,
      (page) => navigate(url({ ...filters, page }), { replace: true }),
    )
  );
  useScroll(!list.isFirst);
  /** @param {Partial<typeof filters>} change */
  const set = (change) => navigate(url({ ...filters, page: 1, ...change }), { replace: true });
  return html`
    <div class="head">
      <${Heading}>${t("users.title")}<//>
      <${Button} class="primary" onClick=${() => setCreating(true)}><${AdminIcon} name="user-plus" />${t("users.create")}<//>
    </div>
    <form class="find queue-find" role="search" onSubmit=${endSearch}>
      <label class="vh" for="user-search">${t("users.search")}</label>
      <${Icon} name="search" />
      <input id="user-search" type="search" value=${filters.search} placeholder=${t("users.search")} maxlength="100" autocomplete="off" enterkeyhint="search"
        onInput=${(/** @type {any} */ event) => set({ search: event.currentTarget.value })} />
    </form>
    <div class="filters">
      <div class="scroller"><${Segmented} label=${t("users.status")} value=${filters.status} choices=${choices("users.status", STATUSES)} onChange=${(/** @type {string} */ status) => set({ status })} /></div>
      <${Select} id="role" label=${t("users.role")} value=${filters.role} choices=${choices("users.role", ROLES)} onChange=${(/** @type {string} */ role) => set({ role })} />
      <${Select} id="sort" label=${t("requests.sort")} value=${filters.sort} choices=${choices("users.sort", SORTS)} onChange=${(/** @type {string} */ sort) => set({ sort })} />
    </div>
    <p class="vh" role="status">${list.isFirst ? "" : t("users.found", { count: list.total })}</p>
    <${Rows} list=${list} isSuspended=${filters.status === "suspended"} />
    ${isCreating ? html`<${Create} onClose=${() => setCreating(false)} />` : null}`;
}

/**
 * The list says nothing of the status of each: all have that of the filter.
 *
 * @param {{list: UserList, isSuspended: boolean}} props
 */
function Rows({ list, isSuspended }) {
  if (list.isFirst) {
    return list.error
      ? html`<${Failure} error=${list.error} retry=${list.retry} />`
      : html`<ul class="rows" aria-busy="true">${Array.from({ length: 6 }, (_, index) => html`<${RowSkeleton} key=${index} />`)}</ul>`;
  }
  if (list.items.length === 0) {
    return html`<div class="state"><${AdminIcon} name="users" /><h2>${t("users.none")}</h2><p>${t("users.noneHint")}</p></div>`;
  }
  return html`
    <ul class="rows">
      ${list.items.map(
        (user) => html`
          <li class="row" key=${user.id}>
            <span class="face" aria-hidden="true">${initial(user.username)}</span>
            <div class="what">
              <p><a href=${`/admin/users/${user.id}`}>${user.username}</a></p>
              <p class="small muted">${[addressOf(user), t(user.plexId ? "users.plex" : "users.local"), t("users.since", { date: date(user.createdAt) })].filter(Boolean).join(" · ")}</p>
            </div>
            <div class="acts badges">
              ${user.role === "admin" ? html`<span class="badge partial"><${AdminIcon} name="shield-check" /><span>${t("users.role.admin")}</span></span>` : html`<span class="badge"><${Icon} name="user" /><span>${t("users.role.user")}</span></span>`}
              ${isSuspended ? html`<span class="badge declined"><${AdminIcon} name="ban" /><span>${t("users.status.suspended")}</span></span>` : html`<span class="badge"><${Icon} name="check" /><span>${t("users.status.active")}</span></span>`}
            </div>
          </li>`,
      )}
    </ul>
    <${More} list=${list} most=${MOST_PAGES} />`;
}

/** Create a local account. @param {{onClose: () => void}} props */
function Create({ onClose }) {
  const [typed, setTyped, drop] = useDraft("user", { username: "", email: "", isAdmin: false });
  // A password is never stored, not even in this browser.
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [isTried, setTried] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const rules = rulesOf(password, typed.username, typed.email);
  const isReady = typed.username.trim() !== "" && typed.email.trim() !== "" && rules.every(([, met]) => met);
  const refusals = /** @type {{field: string, message: string}[]} */ (error?.code === "VALIDATION_ERROR" && Array.isArray(error.details) ? error.details : []);
  const problem = (/** @type {string} */ name) => {
    const own = refusals.filter(({ field }) => field === `body.${name}`);
    if (name === "password") {
      return refusalText(own) ?? (isTried && rules.some(([, met]) => !met) ? t("users.rulesUnmet") : undefined);
    }
    const isMissing = isTried && typed[/** @type {"username" | "email"} */ (name)].trim() === "";
    return isMissing ? t("users.missing") : own[0] ? t(own[0].message.startsWith("Another") ? "users.taken" : `users.refused.${name}`) : undefined;
  };
  const run = async () => {
    setTried(true);
    if (!isReady) {
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      const body = { username: typed.username.trim(), email: typed.email.trim(), password, role: typed.isAdmin ? "admin" : "user" };
      const { data } = await call("POST", "/admin/users", { body });
      const made = /** @type {User} */ (data);
      drop();
      onClose();
      toast(t("users.created", { name: made.username }));
      navigate(`/admin/users/${made.id}`);
    } catch (caught) {
      setError(asApiError(caught));
      setBusy(false);
    }
  };
  return html`
    <${Confirm} title=${t("users.create")} action=${t("users.create")} busy=${busy} error=${refusals.length ? undefined : error} onConfirm=${run} onClose=${onClose}>
      <p class="muted">${t("users.createHint")}</p>
      <${Field} id="new-name" label=${t("users.name")} value=${typed.username} onInput=${(/** @type {string} */ username) => setTyped({ ...typed, username })} maxLength=${64} problem=${problem("username")} isFirst />
      <${Field} id="new-email" label=${t("users.email")} value=${typed.email} onInput=${(/** @type {string} */ email) => setTyped({ ...typed, email })} maxLength=${254} problem=${problem("email")} isEmail />
      <${PasswordField} id="new-password" label=${t("users.password")} value=${password} onInput=${setPassword} autocomplete="new-password" describedBy="new-rules" problem=${problem("password")} />
      <${PasswordRules} id="new-rules" rules=${rules} />
      <label class="check"><input type="checkbox" checked=${typed.isAdmin} onChange=${() => setTyped({ ...typed, isAdmin: !typed.isAdmin })} /><span>${t("users.asAdmin")}</span></label>
    <//>`;
}

/**
 * Return the e-mail address of a user, unless it stands for none.
 *
 * @param {{email: string}} user
 */
export function addressOf({ email }) {
  return email?.endsWith("@plex.invalid") ? "" : email;
}

/** @param {URLSearchParams} query */
function filtersOf(query) {
  return {
    search: query.get("search") ?? "",
    status: oneOf(STATUSES, query.get("status")),
    role: oneOf(ROLES, query.get("role")),
    sort: oneOf(SORTS, query.get("sort")),
    page: pagesOf(query, MOST_PAGES),
  };
}

/** @param {ReturnType<typeof filtersOf>} filters */
function url({ search, status, role, sort, page }) {
  return link("/admin/users", {
    search,
    status: status === "active" ? undefined : status,
    role: unlessAll(role),
    sort: sort === SORTS[0] ? undefined : sort,
    page: page > 1 ? page : undefined,
  });
}

