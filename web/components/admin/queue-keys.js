import { useEffect, useLayoutEffect, useRef } from "../../vendor/modules.js";
import { useShortcuts } from "../shortcuts.js";
import { areOn } from "./shortcut-help.js";

/**
 * The keys of the queue, and the focus after a decision: it goes to the request that follows.
 *
 * @param {import("../../state/admin/decisions.js").Decisions} queue
 */
export function useQueueKeys(queue) {
  const { selection, opened, find, run, open, decide } = queue;
  useFollow(queue);
  const id = () => rowOf(document.activeElement)?.dataset["id"] ?? "";
  const act = (/** @type {"approve" | "decline"} */ action, /** @type {KeyboardEvent} */ event) => {
    const request = find(id());
    if (event.repeat || queue.progress || queue.busy.id !== "") {
      return;
    }
    if (selection.chosen.length && action === "approve") {
      void decide(selection.chosen, { decision: "approve" });
    } else if (selection.chosen.length) {
      open({ kind: "decline", ids: selection.chosen });
    } else if (request?.status === "pending" && !queue.refusals.has(request.id)) {
      run(request, action);
    }
  };
  useShortcuts(
    areOn.value && !opened
      ? {
          j: () => move(1),
          k: () => move(-1),
          a: (event) => act("approve", event),
          d: (event) => act("decline", event),
          x: () => selection.toggle(id()),
          X: () => selection.toggle(id(), true),
          "?": () => open({ kind: "help", ids: [] }),
          ...(selection.chosen.length ? { Escape: selection.clear } : {}),
        }
      : {},
  );
}

/**
 * Keep the focus in the list when the row that has it, or had it before a dialog, is decided.
 *
 * @param {import("../../state/admin/decisions.js").Decisions} queue
 */
function useFollow({ list, opened, refusals, result }) {
  const last = useRef({ id: "", index: 0 });
  useEffect(() => {
    const listen = (/** @type {FocusEvent} */ event) => {
      const row = rowOf(event.target);
      if (row) {
        last.current = { id: row.dataset["id"] ?? "", index: rows().indexOf(row) };
      } else if (!(event.target instanceof Element && event.target.closest("[aria-modal=true]"))) {
        last.current = { id: "", index: 0 };
      }
    };
    addEventListener("focusin", listen);
    return () => removeEventListener("focusin", listen);
  }, []);
  // Before the dialog gives the focus back, which moves it out of the list when its row is gone.
  useLayoutEffect(() => {
    const { id, index } = last.current;
    if (opened || result || !id) {
      return;
    }
    const frame = requestAnimationFrame(() => {
      const isLost = !rowOf(document.activeElement);
      const all = rows();
      const row = all.find((each) => each.dataset["id"] === id) ?? all[Math.min(index, all.length - 1)];
      const target = row ? row.querySelector(".what a") : document.querySelector("h1");
      if (isLost && target instanceof HTMLElement) {
        target.focus();
      }
    });
    return () => cancelAnimationFrame(frame);
  }, [list.items, opened, refusals, result]);
}

/** @param {number} step */
function move(step) {
  const all = rows();
  const row = rowOf(document.activeElement);
  const target = all[row ? all.indexOf(row) + step : 0]?.querySelector(".what a");
  if (target instanceof HTMLElement) {
    target.focus();
    target.scrollIntoView({ block: "nearest" });
  }
}

/** @returns {HTMLElement[]} */
function rows() {
  return Array.from(document.querySelectorAll(".queue .row"));
}

/**
 * @param {EventTarget | null} element
 * @returns {HTMLElement | null}
 */
function rowOf(element) {
  return element instanceof Element ? element.closest(".queue .row") : null;
}
