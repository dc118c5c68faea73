import { t } from "../i18n.js";
import { html, useEffect, useRef } from "../vendor/modules.js";
import { Button } from "./button.js";
import { Problem, useRetry } from "./failure.js";

/**
 * The end of a list that goes on: it loads the next page by a button, and by scrolling near it.
 *
 * @param {{list: import("../state/load.js").LoadedList<any>, most: number}} props `most` is the number of pages that the URL may have
 */
export function More({ list, most }) {
  const hasNext = list.hasNext && list.pages < most;
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  const latest = useRef(list);
  latest.current = list;
  const left = useRetry(list.error, list.retry);
  useEffect(() => {
    const element = end.current;
    if (!element) {
      return undefined;
    }
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting) && !latest.current.error) {
          latest.current.more();
        }
      },
      { rootMargin: "600px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [list.pages, hasNext]);
  if (list.isFirst || (!list.hasNext && !list.error)) {
    return null;
  }
  if (!hasNext && !list.error) {
    return html`<p class="more muted small">${t("list.end", { count: list.items.length })}</p>`;
  }
  return html`
    <div class="more" ref=${end}>
      <${Problem} error=${list.error} />
      ${list.error
        ? html`<${Button} icon="refresh-cw" disabled=${left > 0} onClick=${list.retry}>${left > 0 ? t("failure.retryIn", { seconds: left }) : t("failure.retry")}<//>`
        : html`<${Button} busy=${list.isLoading} onClick=${list.more}>${t("list.more")}<//>`}
    </div>`;
}
