import { t } from "../../i18n.js";
import { refresh, waiting } from "../../state/queue.js";
import { html, useEffect } from "../../vendor/modules.js";

/** The number of requests that wait for a decision, beside the link to the queue. */
export function QueueCount() {
  useEffect(refresh, []);
  const count = waiting.value;
  return count ? html`<span class="count" aria-label=${t("nav.waiting", { count })} role="img">${count > 999 ? "999+" : count}</span>` : null;
}
