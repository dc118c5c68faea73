import { useRef } from "../../vendor/modules.js";

/**
 * Return the last value that was there, so that a form stays while its data is read again.
 *
 * @template T
 * @param {T | undefined} value
 * @returns {T | undefined}
 */
export function useLatest(value) {
  const latest = useRef(/** @type {T | undefined} */ (undefined));
  if (value !== undefined) {
    latest.current = value;
  }
  return latest.current;
}
