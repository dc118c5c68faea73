import { useRef, useState } from "../vendor/modules.js";

/** @typedef {ReturnType<typeof useSelection>} Selection */

/**
 * A selection in a list.
 *
 * @param {string[]} selectable Ids in the order of the list; others are never chosen
 */
export function useSelection(selectable) {
  const [ids, setIds] = useState(/** @type {Set<string>} */ (new Set()));
  const anchor = useRef("");
  const chosen = selectable.filter((id) => ids.has(id));
  return {
    chosen,
    total: selectable.length,
    has: (/** @type {string} */ id) => ids.has(id),
    /** Select an id or not; with `isRange`, select all from the last one on. */
    toggle: (/** @type {string} */ id, isRange = false) => {
      const next = new Set(ids);
      const [from, to] = [selectable.indexOf(anchor.current), selectable.indexOf(id)].sort((a, b) => a - b);
      if (to === -1 || to === undefined || from === undefined) {
        return;
      }
      if (isRange && from !== -1) {
        selectable.slice(from, to + 1).forEach((each) => next.add(each));
      } else if (!next.delete(id)) {
        next.add(id);
      }
      anchor.current = id;
      setIds(next);
    },
    all: () => setIds(new Set(selectable)),
    clear: () => setIds(new Set()),
    drop: (/** @type {string[]} */ gone) => setIds((before) => new Set(Array.from(before).filter((id) => !gone.includes(id)))),
  };
}
