import { t } from "../i18n.js";
import { html } from "../vendor/modules.js";
import { Icon } from "./icon.js";

const MIN_LENGTH = 8;

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
