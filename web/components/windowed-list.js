import { html, useLayoutEffect, useRef, useState } from "../vendor/modules.js";

const CHUNK = 50;
/** Chunks this near to the screen have their rows. */
const NEAR = "1500px";

/**
 * A list of thousands of rows, of which only those near the screen exist; the others keep their room.
 *
 * @template T
 * @param {{items: T[], row: (item: T) => any, height: number, class: string}} props `height` of a row in pixels,
 *   as a guess until it was shown
 */
export function WindowedList({ items, row, height, class: extra }) {
  const chunks = Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, index) => items.slice(index * CHUNK, (index + 1) * CHUNK));
  return html`
    <div class=${extra} role="list">
      ${chunks.map((chunk, index) => html`<${Chunk} key=${index} items=${chunk} row=${row} height=${height} isFirst=${index === 0} />`)}
    </div>`;
}

/** @param {{items: any[], row: (item: any) => any, height: number, isFirst: boolean}} props */
function Chunk({ items, row, height, isFirst }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const each = useRef(height);
  const [isNear, setNear] = useState(isFirst);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) {
      return undefined;
    }
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) {
          setNear(true);
        } else if (entry && !element.contains(document.activeElement)) {
          if (element.firstElementChild instanceof HTMLElement) {
            each.current = entry.boundingClientRect.height / element.childElementCount;
          }
          setNear(false);
        }
      },
      { rootMargin: NEAR },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // A drawing, because the policy of the page forbids styles of single elements.
  const room = isNear ? null : html`<svg class="room" aria-hidden="true" width="1" height=${Math.round(items.length * each.current)} />`;
  return html`<div role="none" class="chunk" ref=${box}>${isNear ? items.map(row) : room}</div>`;
}
