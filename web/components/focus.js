/**
 * The focus after a control has removed itself, as those of the rows of a list do: without help it
 * would be nowhere, and a keyboard would begin at the top of the page.
 */
import { place } from "../router.js";

const CONTROLS = "a[href], button, input, select, textarea, summary";

/** Move a focus that is lost to the control that follows, else to one before, else to the heading. Call it once. */
export function keepFocus() {
  /** @type {Node | null} */
  let last = null;
  let lastKey = "";
  /** @type {HTMLElement | null} */
  let moved = null;
  addEventListener("focusin", ({ target }) => {
    last = target instanceof Node ? target : null;
    lastKey = place.value.key;
  });
  addEventListener("focusout", () =>
    queueMicrotask(() => {
      if (last?.isConnected && document.activeElement === document.body) {
        last = null;
      }
    }),
  );
  // A key that is held down must not press the next control as well.
  addEventListener("keydown", (event) => {
    if (!event.repeat) {
      moved = null;
    } else if (event.target === moved) {
      event.preventDefault();
    }
  });
  new MutationObserver((records) => {
    if (!last || last.isConnected) {
      return;
    }
    /** @type {Node} */
    let gone = last;
    /** @type {MutationRecord | undefined} */
    let spot;
    for (const record of records) {
      if (Array.from(record.removedNodes).some((node) => node.contains(gone))) {
        spot = record;
        gone = record.target;
      }
    }
    last = null;
    // After dialogs and headings, which know better where the focus goes.
    requestAnimationFrame(() =>
      setTimeout(() => {
        if (spot && lastKey === place.value.key && document.activeElement === document.body) {
          moved = near(spot) ?? document.querySelector("[aria-modal] h2") ?? document.querySelector("h1");
          moved?.focus({ preventScroll: true });
        }
      }),
    );
  }).observe(document, { childList: true, subtree: true });
}

/**
 * Return a control at the place of what is gone, which others may have taken.
 *
 * @param {MutationRecord} spot
 */
function near({ target, nextSibling, previousSibling }) {
  const before = previousSibling?.parentNode === target ? previousSibling : null;
  let found = following(before ? before.nextSibling : previousSibling && nextSibling?.parentNode === target ? nextSibling : target.firstChild);
  for (let node = before; node && !found; node = node.previousSibling) {
    found = controlsOf(node).pop();
  }
  for (let node = /** @type {Node | null} */ (target); node instanceof Element && !found && !node.matches("section, main, .dialog"); node = node.parentNode) {
    found = following(node.nextSibling);
  }
  return found;
}

/** @param {Node | null} start */
function following(start) {
  let found;
  for (let node = start; node && !found; node = node.nextSibling) {
    [found] = controlsOf(node);
  }
  return found;
}

/** @param {Node} node */
function controlsOf(node) {
  const all = node instanceof HTMLElement ? [node, .../** @type {NodeListOf<HTMLElement>} */ (node.querySelectorAll(CONTROLS))] : [];
  return all.filter((each) => each.matches(CONTROLS) && each.tabIndex >= 0 && each.offsetParent !== null);
}
