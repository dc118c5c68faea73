import { language } from "../../i18n.js";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/**
 * Return a number of bytes in the unit that fits, as disks are sold.
 *
 * @param {number} bytes
 */
export function size(bytes) {
  const at = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  return `${number(bytes / 1000 ** at, 1)} ${UNITS[at]}`;
}

/**
 * @param {number} value
 * @param {number} [digits] After the point, at most
 */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value);
}
