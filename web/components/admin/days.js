import { language } from "../../i18n.js";

/**
 * Return a day of the calendar, which has no time zone, as text.
 *
 * @param {string} day As 2026-11-28
 */
export function dateOnly(day) {
  return new Intl.DateTimeFormat(language.value, { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
}
