import { errorText, t } from "../i18n.js";
import { html, useEffect, useState } from "../vendor/modules.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

/** @typedef {import("../api.js").ApiError} ApiError */

/**
 * In place of what could not be loaded: says what happened and what to do. It tries again by
 * itself after the seconds that a refusal names, and when the network is back. A screen reader tells of it
 * where it stands for the page: of several parts, all may fail at once.
 *
 * @param {{error: ApiError, retry: () => void, level?: 2 | 3}} props
 */
export function Failure({ error, retry, level = 2 }) {
  const left = useRetry(error, retry);
  const isOffline = error.code === "OFFLINE";
  const heading = t(isOffline ? "failure.offline" : ["RATE_LIMITED", "DATABASE_WAKING_UP"].includes(error.code) ? "failure.wait" : error.code === "NOT_FOUND" ? "failure.missing" : "failure.error");
  return html`
    <div class="state" role="group">
      <${Icon} name=${isOffline ? "wifi-off" : "triangle-alert"} />
      <div role=${level === 2 ? "alert" : undefined}>
        ${level === 2 ? html`<h2>${heading}</h2>` : html`<h3>${heading}</h3>`}
        <p>${errorText(error)}</p>
      </div>
      ${error.code === "NOT_FOUND"
        ? html`<a class="btn" href="/">${t("failure.home")}</a>`
        : html`<${Button} icon="refresh-cw" disabled=${left > 0} onClick=${retry}>${left > 0 ? t("failure.retryIn", { seconds: left }) : t("failure.retry")}<//>`}
    </div>`;
}

/**
 * The same in a form: one line above the button that failed.
 *
 * @param {{error: ApiError | undefined}} props
 */
export function Problem({ error }) {
  return html`<div role="alert">${error ? html`<p class="note bad"><${Icon} name="triangle-alert" /><span>${errorText(error)}</span></p>` : null}</div>`;
}

/**
 * Count down the seconds of a refusal, then retry; return the seconds left.
 *
 * @param {ApiError | undefined} error
 * @param {() => void} retry
 */
export function useRetry(error, retry) {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const end = Date.now() + (error?.retryAfter ?? 0) * 1000;
    setLeft(error?.retryAfter ?? 0);
    if (!error?.retryAfter) {
      return undefined;
    }
    const timer = setInterval(() => {
      const seconds = Math.ceil((end - Date.now()) / 1000);
      setLeft(Math.max(seconds, 0));
      if (seconds <= 0 && document.visibilityState === "visible") {
        clearInterval(timer);
        retry();
      }
    }, 1000);
    return () => clearInterval(timer);
  }, [error]);
  useEffect(() => {
    if (error?.code !== "OFFLINE") {
      return undefined;
    }
    addEventListener("online", retry);
    return () => removeEventListener("online", retry);
  }, [error]);
  return left;
}
