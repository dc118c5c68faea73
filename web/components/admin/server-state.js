import { dateTime, relative, t } from "../../i18n.js";
import { html } from "../../vendor/modules.js";
import { AdminIcon } from "./icon.js";

/** @typedef {import("../../api.js").Schemas["Server"]} Server */

/** @type {Record<Server["state"], [string, string]>} */
const LOOKS = {
  unknown: ["circle-help", "pending"],
  ok: ["circle-check", "approved"],
  unreachable: ["circle-x", "declined"],
  misconfigured: ["ban", "declined"],
};
/** Codes of many causes: the message names the one to mend, often in the words of the server. */
const DETAILED = ["REJECTED", "OPTION_REJECTED", "TAG_INVALID", "CHANGE_FAILED", "SERVER_ERROR", "UNEXPECTED_RESPONSE", "RESPONSE_INVALID", "INTERNAL_ERROR"];

/**
 * The state of a server as a word, with an icon and a colour.
 *
 * @param {{server: Server}} props
 */
export function ServerState({ server }) {
  const [icon, look] = LOOKS[server.state] ?? LOOKS.unknown;
  return html`<span class=${`badge ${look}`}><${AdminIcon} name=${icon} /><span>${t(`servers.state.${server.state}`)}</span></span>`;
}

/**
 * Return since when a server is in its state, why, and when it is called again.
 *
 * @param {Server} server
 */
export function stateText(server) {
  const parts = [t(`servers.stateSince.${server.state}`, { when: dateTime(server.stateAt) })];
  if (server.error) {
    parts.push(failureText(server.error));
  }
  if (server.retryAt) {
    parts.push(t("servers.retry", { when: relative(server.retryAt) }));
  }
  return parts.join(" ");
}

/**
 * Return what a failure of a server or a job means and what helps; a code without a text has the
 * message of the API.
 *
 * @param {{code: string, message: string}} error
 */
export function failureText({ code, message }) {
  const key = `arr.${code}`;
  const text = t(`arr.${code}`);
  if (text === key) {
    return message;
  }
  return DETAILED.includes(code) ? `${text} ${t("quoted", { text: message })}` : text;
}
