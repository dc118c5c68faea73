import { useEffect, useRef } from "../vendor/modules.js";

/**
 * Run an action for a key, unless the user types in a field or a dialog is open.
 *
 * @param {Record<string, (event: KeyboardEvent) => void>} actions By the value of `key`
 */
export function useShortcuts(actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const listen = (event) => {
      const inField = event.target instanceof Element && event.target.closest("input:not([type=checkbox]), textarea, select");
      const action = latest.current[event.key];
      if (action && !inField && !event.ctrlKey && !event.metaKey && !event.altKey && !document.querySelector("[aria-modal=true]")) {
        event.preventDefault();
        action(event);
      }
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}

/**
 * Whether an arrow key is the page's: with another key it is the browser's, as in Alt and Left for a step back, and
 * while a word is being composed it chooses among its forms.
 *
 * @param {KeyboardEvent} event
 */
export function isArrow(event) {
  return event.key.startsWith("Arrow") && !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.isComposing;
}

/**
 * End a search that is done as one types: on a phone, the keyboard gives way to the results.
 *
 * @param {Event} event
 */
export function endSearch(event) {
  event.preventDefault();
  if (document.activeElement instanceof HTMLElement && matchMedia("(pointer: coarse)").matches) {
    document.activeElement.blur();
  }
}
