// Types of messages.js, which tools/web/vendor/messages.js makes.

/**
 * Compile a message in ICU syntax; the result formats it, and throws when an argument is missing.
 *
 * The syntax has `{name}`, `{n, plural, =0 {…} one {…} other {# …}}` (with `offset:`), `selectordinal`, `select`,
 * `{n, number}` (also `integer`, `percent`), `{at, date}` and `{at, time}` (also `short`, `medium`, `long`, `full`).
 * A number is formatted for the locale. Any other value stays as it is, so that a value can be an element:
 * the parts are children for `html`, and `parts.join("")` is the text of a message with plain values.
 *
 * Throws when the syntax is wrong.
 */
export function compile<T = string | number>(
  message: string,
  locale: string,
): (values?: Record<string, T | string | number | Date>) => (T | string)[];
