import { t } from "../i18n.js";
import { html } from "../vendor/modules.js";
import { Icon } from "./icon.js";

const MIN_LENGTH = 8;
/** Refusals of the service by the beginning of their messages: rules that the page cannot check. */
const REFUSALS = { "Too close": "common", "Too similar": "similar", "Use another": "same" };

/**
 * The rules of a password, each with whether it is met.
 *
 * @param {{id: string, rules: [string, boolean][]}} props
 */
export function PasswordRules({ id, rules }) {
  return html`
    <ul class="rules" id=${id}>
      ${rules.map(([key, met]) => html`<li key=${key} class=${met ? "met" : ""}><${Icon} name=${met ? "check" : "x"} /><span>${t(`password.rule.${key}`)}</span><span class="vh">${t(met ? "password.met" : "password.unmet")}</span></li>`)}
    </ul>`;
}

/**
 * Return why the service refuses a password, in the page's language; undefined when it does not.
 *
 * @param {{message: string}[]} problems
 */
export function refusalText(problems) {
  const kinds = Object.entries(REFUSALS).flatMap(([start, kind]) => (problems.some(({ message }) => message.startsWith(start)) ? kind : []));
  return problems.length ? (kinds.length ? kinds : ["other"]).map((kind) => t(`password.refused.${kind}`)).join(" ") : undefined;
}

/**
 * The rules of a password that the page can check; the service also refuses common ones.
 *
 * @param {string} password
 * @param {string} username
 * @param {string} email
 * @returns {[string, boolean][]}
 */
export function rulesOf(password, username, email) {
  const folded = password.toLowerCase();
  const names = [username, email, email.split("@")[0] ?? ""].map((name) => name.toLowerCase()).filter((name) => name.length > 2);
  return [
    ["length", Array.from(password).length >= MIN_LENGTH],
    ["upper", /\p{Lu}/u.test(password)],
    ["lower", /\p{Ll}/u.test(password)],
    ["digit", /\p{Nd}/u.test(password)],
    ["special", /[^\p{L}\p{N}]/u.test(password)],
    ["name", password !== "" && !names.some((name) => folded.includes(name))],
  ];
}
