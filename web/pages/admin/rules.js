import { ApiError, asApiError } from "../../api.js";
import { AdminIcon } from "../../components/admin/icon.js";
import { KIND_OF, RuleForm } from "../../components/admin/rule-form.js";
import { ruleText } from "../../components/admin/rule-texts.js";
import { Button } from "../../components/button.js";
import { Failure, Problem, useRetry } from "../../components/failure.js";
import { Heading } from "../../components/frame.js";
import { Icon } from "../../components/icon.js";
import { toast } from "../../components/toasts.js";
import { t } from "../../i18n.js";
import { useScroll } from "../../router.js";
import { useLatest } from "../../state/admin/latest.js";
import { draftOf, readRules, save, useUserNames } from "../../state/admin/rules.js";
import { useDraft } from "../../state/drafts.js";
import { useLoad } from "../../state/load.js";
import { html, useLayoutEffect, useRef, useState } from "../../vendor/modules.js";

/**
 * @typedef {import("../../api.js").Schemas["Server"]} Server
 * @typedef {import("../../state/admin/rules.js").Rule} Rule
 * @typedef {import("../../state/admin/rules.js").Edited} Edited
 * @typedef {import("../../state/admin/rules.js").Draft} Draft
 */

const MOST = 50;
/** @type {Record<string, -1 | 1>} */
const STEPS = { ArrowUp: -1, ArrowDown: 1 };

/** /admin/rules: which server gets which titles, edited and saved as a whole. */
export function RulesPage() {
  const rulesLoad = useLoad("/admin/routing-rules");
  const serversLoad = useLoad("/admin/servers");
  const rules = useLatest(/** @type {Rule[] | undefined} */ (rulesLoad.data));
  const servers = useLatest(/** @type {Server[] | undefined} */ (serversLoad.data));
  useScroll(rules !== undefined);
  const error = rulesLoad.error || serversLoad.error;
  return html`
    <div class="head"><${Heading}>${t("rules.title")}<//></div>
    <p class="lead muted">${t("rules.lead")}</p>
    ${rules && servers
      ? html`<${Editor} saved=${rules} servers=${servers} onSaved=${rulesLoad.set} />`
      : error
        ? html`<${Failure} error=${error} retry=${() => [rulesLoad, serversLoad].forEach((load) => load.error && load.retry())} />`
        : html`<ul class="rows" aria-busy="true"><li class="row" aria-hidden="true"><div class="what card"><span class="line skel"></span><span class="line skel"></span></div></li></ul>`}`;
}

/** @param {{saved: Rule[], servers: Server[], onSaved: (rules: Rule[]) => void}} props */
function Editor({ saved, servers, onSaved }) {
  const [draft, setDraft, dropDraft] = useDraft("rules", /** @type {Draft | null} */ (null));
  const [open, setOpen] = useState("");
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const [theirs, setTheirs] = useState(/** @type {Rule[] | undefined} */ (undefined));
  const focus = useRef("");
  const wait = useRetry(error?.code === "RATE_LIMITED" ? error : undefined, () => setError(undefined));
  const { seen, rules } = draft ?? draftOf(saved);
  const all = [...rules, ...draftOf(theirs ?? []).rules];
  const users = useUserNames(all.reduce((ids, { conditions }) => [...ids, ...(conditions.userIds ?? [])], /** @type {string[]} */ ([])));
  useLayoutEffect(() => {
    if (focus.current) {
      document.getElementById(focus.current)?.focus();
      focus.current = "";
    }
  });
  /** @param {Edited[]} next */
  const change = (next) => setDraft({ seen, rules: next });
  const forget = () => {
    setDraft(null);
    dropDraft();
    setOpen("");
    setError(undefined);
    setTheirs(undefined);
  };
  /**
   * @param {number} index
   * @param {-1 | 1} step
   */
  const move = (index, step) => {
    const rule = rules[index];
    const to = index + step;
    if (rule && to >= 0 && to < rules.length) {
      const next = rules.filter((_, at) => at !== index);
      next.splice(to, 0, rule);
      focus.current = document.activeElement?.id ?? "";
      change(next);
      setSaid(t("rules.moved", { position: to + 1, count: rules.length }));
    }
  };
  const add = () => {
    const first = servers[0];
    const mediaType = first?.kind === "sonarr" ? "tv" : "movie";
    const key = `new-${Math.random().toString(36).slice(2)}`;
    change([...rules, { key, mediaType, conditions: {}, serverId: first?.id ?? "", options: {} }]);
    setOpen(key);
    focus.current = `${key}-edit`;
  };
  /** @param {number} index */
  const remove = (index) => {
    const next = rules.filter((_, at) => at !== index);
    const near = next[Math.min(index, next.length - 1)];
    focus.current = near ? `${near.key}-edit` : "add-rule";
    change(next);
    setSaid(t("rules.removed", { position: index + 1 }));
  };
  /** @param {string[]} expected */
  const send = async (expected) => {
    const incomplete = rules.find(({ serverId }) => !serverId);
    if (incomplete) {
      setOpen(incomplete.key);
      setError(new ApiError("VALIDATION_ERROR", "", { details: [{ field: `body.rules.${rules.indexOf(incomplete)}.serverId` }] }));
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      const now = await save({ seen: expected, rules });
      forget();
      onSaved(now);
      toast(t("rules.saved"));
    } catch (caught) {
      const refusal = asApiError(caught);
      try {
        setTheirs(refusal.code === "EDIT_CONFLICT" ? await readRules() : undefined);
        setError(refusal.code === "EDIT_CONFLICT" ? undefined : refusal);
      } catch (failed) {
        setError(asApiError(failed));
      }
    }
    setBusy(false);
  };
  const name = (/** @type {string} */ id) => servers.find((each) => each.id === id)?.name;
  const wrong = problemsOf(error);
  return html`
    <p class="vh" role="status">${said}</p>
    ${rules.length === 0 ? html`<div class="state"><${AdminIcon} name="route" /><h2>${t("rules.none")}</h2><p>${t("rules.noneHint")}</p></div>` : null}
    <ol class="rows routes">
      ${rules.map(
        (rule, index) => html`
          <li class="row" key=${rule.key} onKeyDown=${(/** @type {KeyboardEvent} */ event) => { const step = event.altKey ? STEPS[event.key] : undefined; if (step) { event.preventDefault(); move(index, step); } }}>
            <div class="what"><p><span class="place" aria-hidden="true">${index + 1}</span> ${ruleText(rule, users, name(rule.serverId))}</p>
              ${wrong[index] ? html`<p class="reason small" role="alert">${wrong[index]}</p>` : null}</div>
            <${Acts} rule=${rule} index=${index} count=${rules.length} isOpen=${open === rule.key} onOpen=${() => setOpen(open === rule.key ? "" : rule.key)} onMove=${(/** @type {-1 | 1} */ step) => move(index, step)} onRemove=${() => remove(index)} />
            ${open === rule.key ? html`<${RuleForm} rule=${rule} servers=${servers} users=${users} onChange=${(/** @type {Edited} */ next) => change(rules.map((each) => (each.key === rule.key ? next : each)))} />` : null}
          </li>`,
      )}
    </ol>
    <p class="muted small after">${t("rules.rest", { movie: defaultOf(servers, "movie"), tv: defaultOf(servers, "tv") })}</p>
    ${theirs ? html`<${Conflict} theirs=${theirs} users=${users} name=${name} onTheirs=${() => { const now = theirs; forget(); onSaved(now); }} onMine=${() => { const now = theirs; setTheirs(undefined); send(now.map(({ id }) => id)); }} />` : null}
    <${Problem} error=${error} />
    <div class="btns rule-btns">
      <${AddButton} disabled=${rules.length >= MOST || servers.length === 0} onClick=${add} />
      ${draft ? html`<${Button} onClick=${() => { focus.current = "add-rule"; forget(); }}>${t("server.discard")}<//>` : null}
      ${draft ? html`<${Button} class="primary" busy=${busy} disabled=${wait > 0} onClick=${() => send(seen)}>${wait > 0 ? t("failure.retryIn", { seconds: wait }) : t("rules.save")}<//>` : null}
    </div>
    ${draft ? html`<p class="muted small right">${t("rules.unsaved")}</p>` : null}
    ${servers.length === 0 ? html`<p class="note info"><${Icon} name="info" /><span>${t("rules.noServers")} <a href="/admin/servers/new">${t("servers.add")}</a></span></p>` : null}`;
}

/** @param {{disabled: boolean, onClick: () => void}} props */
function AddButton({ disabled, onClick }) {
  return html`<button type="button" class="btn" id="add-rule" aria-disabled=${disabled ? "true" : undefined} onClick=${() => !disabled && onClick()}><span class="label"><${Icon} name="plus" /><span>${t("rules.add")}</span></span></button>`;
}

/**
 * @param {{rule: Edited, index: number, count: number, isOpen: boolean, onOpen: () => void, onMove: (step: -1 | 1) => void, onRemove: () => void}} props
 */
function Acts({ rule, index, count, isOpen, onOpen, onMove, onRemove }) {
  const number = index + 1;
  return html`
    <div class="acts">
      <button type="button" class="btn bare tool" id=${`${rule.key}-up`} aria-label=${t("rules.up", { number })} aria-disabled=${index === 0 ? "true" : undefined} onClick=${() => onMove(-1)}><${AdminIcon} name="arrow-up" /></button>
      <button type="button" class="btn bare tool" id=${`${rule.key}-down`} aria-label=${t("rules.down", { number })} aria-disabled=${index === count - 1 ? "true" : undefined} onClick=${() => onMove(1)}><${AdminIcon} name="arrow-down" /></button>
      <button type="button" class="btn bare tool" id=${`${rule.key}-edit`} aria-label=${t("rules.edit", { number })} aria-expanded=${isOpen ? "true" : "false"} onClick=${onOpen}><${AdminIcon} name="pencil" /></button>
      <button type="button" class="btn bare tool" aria-label=${t("rules.removeRule", { number })} onClick=${onRemove}><${AdminIcon} name="trash-2" /></button>
    </div>`;
}

/**
 * Another admin saved other rules meanwhile: those, and the choice.
 *
 * @param {{theirs: Rule[], users: Map<string, string>, name: (id: string) => string | undefined, onTheirs: () => void, onMine: () => void}} props
 */
function Conflict({ theirs, users, name, onTheirs, onMine }) {
  return html`
    <div class="note bad conflict" role="alert"><${Icon} name="triangle-alert" />
      <div>
        <p><b>${t("rules.conflict")}</b></p>
        <ol class="theirs">${draftOf(theirs).rules.map((rule) => html`<li key=${rule.key}>${ruleText(rule, users, name(rule.serverId))}</li>`)}</ol>
        ${theirs.length === 0 ? html`<p>${t("rules.theirsNone")}</p>` : null}
        <div class="btns"><${Button} onClick=${onTheirs}>${t("server.loadTheirs")}<//><${Button} class="danger" onClick=${onMine}>${t("server.saveMine")}<//></div>
      </div>
    </div>`;
}

/**
 * Return what the service found wrong, by the index of the rule.
 *
 * @param {ApiError | undefined} error
 * @returns {Record<number, string>}
 */
function problemsOf(error) {
  /** @type {Record<number, string>} */
  const problems = {};
  for (const { field } of error?.code === "VALIDATION_ERROR" && Array.isArray(error.details) ? error.details : []) {
    const [, , index, part] = String(field).split(".");
    problems[Number(index)] = t(part === "serverId" ? "rules.problem.server" : part === "options" ? "rules.problem.options" : "rules.problem.other");
  }
  return problems;
}

/**
 * @param {Server[]} servers
 * @param {"movie" | "tv"} mediaType
 */
function defaultOf(servers, mediaType) {
  return servers.find(({ kind, isDefault, enabled }) => kind === KIND_OF[mediaType] && isDefault && enabled)?.name ?? t("rules.byHand");
}
