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
