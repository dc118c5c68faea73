import { useEffect, useState } from "../vendor/modules.js";

const PAUSE = 350;

/**
 * Return a text that somebody types, once it has not changed for a moment.
 *
 * @param {string} text
 */
export function useSettled(text) {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
