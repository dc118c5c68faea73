/**
 * Texts in the user's language, and numbers and dates by Intl.
 *
 * Texts are in locales/*.json, one key each, in ICU message syntax. Those in locales/pages and in
 * locales/admin are loaded with the pages that need them, so that the first page is small.
 */
import { compile, signal } from "./vendor/modules.js";

const STORED = "medianest.language";
/** In seconds. */
const DAY = 86_400;
/** In place of a time that is none; Intl would throw, and the page with it. */
const UNKNOWN = "–";
/** Language tags with their own names; a new language is one more file and one more line. */
export const LANGUAGES = { en: "English", de: "Deutsch" };
/** @typedef {keyof typeof LANGUAGES} Language */

/** The last choice, else the first of the browser's languages that exists. @type {import("./vendor/modules.js").Signal<Language>} */
export const language = signal(first());
/** @type {Record<string, string>} */
let messages = {};
const folders = ["locales"];
/** @type {Promise<void>} */
let loading = Promise.resolve();
/** @type {Map<string, (values?: Record<string, string | number>) => (string | number)[]>} */
const compiled = new Map();

/**
 * Return the text of a key; an unknown key is its own text.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values) {
  const tag = language.value;
  const text = messages[key];
  if (text === undefined) {
    return key;
  }
  let message = compiled.get(key);
  if (!message) {
    message = compile(text, tag);
    compiled.set(key, message);
  }
  return message(values).join("");
}

/**
 * Return the text of an error by its code; a code without a text has the message of the API.
 *
 * @param {{code: string, message: string}} error
 */
export function errorText(error) {
  const key = `error.${error.code}`;
  return Object.prototype.hasOwnProperty.call(messages, key) ? t(key) : error.message;
}

/** Load the texts that every page has. */
export function loadLanguage() {
  loading = use(language.value);
  return loading;
}

/**
 * Add the texts of a folder of locales/, in this language and in those chosen later.
 *
 * @param {"pages" | "admin"} part
 */
export async function loadTexts(part) {
  const folder = `locales/${part}`;
  if (!folders.includes(folder)) {
    const tag = language.value;
    // The first page asks for them while the others are on their way.
    const [early] = await Promise.all([fetchTexts(folder, tag), loading]);
    const texts = language.value === tag ? early : await fetchTexts(folder, language.value);
    folders.push(folder);
    Object.assign(messages, texts);
    compiled.clear();
  }
}

/** @param {Language} chosen */
export async function choose(chosen) {
  loading = use(chosen);
  await loading;
  try {
    localStorage.setItem(STORED, chosen);
  } catch {
    // Storage is off: the choice lasts until the next load.
  }
}

/** @param {Date | string} time */
export function date(time) {
  return format(time, { year: "numeric", month: "long", day: "numeric" });
}

/**
 * Return a day of the calendar, which has no time zone, as text.
 *
 * @param {string} day As 2026-11-28
 */
export function dateOnly(day) {
  return format(day, { year: "numeric", month: "long", day: "numeric", timeZone: "UTC" });
}

/** @param {Date | string} time */
export function dateTime(time) {
  return format(time, { year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit" });
}

/**
 * Return how long ago a time was, or in how long it will be, in the largest unit that fits.
 *
 * @param {Date | string} time
 */
export function relative(time) {
  const seconds = (instant(time).getTime() - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (Number.isNaN(size)) {
    return UNKNOWN;
  }
  const words = new Intl.RelativeTimeFormat(language.value, { numeric: "auto" });
  if (size >= DAY) {
    // Yesterday is a day of the calendar; one with a change of the clocks has another length.
    return size > 30 * DAY ? date(time) : words.format(Math.round((midnight(time) - midnight(Date.now())) / 1000 / DAY), "day");
  }
  return size >= 3600 ? words.format(Math.trunc(seconds / 3600), "hour") : words.format(Math.trunc(seconds / 60), "minute");
}

/**
 * Return a list as text: "1, 2 and 5".
 *
 * @param {string[]} items
 */
export function list(items) {
  return items.length < 2 ? items.join("") : t("list.and", { first: items.slice(0, -1).join(", "), last: items[items.length - 1] ?? "" });
}

/**
 * Return season numbers as text, with ranges: [1, 2, 3, 5] is "1–3 and 5".
 *
 * @param {number[]} numbers
 */
export function seasons(numbers) {
  /** @type {[number, number][]} */
  const ranges = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges[ranges.length - 1];
    if (last && number === last[1] + 1) {
      last[1] = number;
    } else {
      ranges.push([number, number]);
    }
  }
  return list(ranges.map(([from, to]) => (from === to ? String(from) : to === from + 1 ? `${from}, ${to}` : `${from}–${to}`)));
}

/** @param {Date | string | number} time */
function midnight(time) {
  return new Date(time).setHours(0, 0, 0, 0);
}

/** A missing time is none, and not the first of January 1970. @param {Date | string | null | undefined} time */
function instant(time) {
  return new Date(time ?? Number.NaN);
}

/**
 * @param {Date | string} time
 * @param {Intl.DateTimeFormatOptions} options
 */
function format(time, options) {
  const at = instant(time);
  return Number.isNaN(at.getTime()) ? UNKNOWN : new Intl.DateTimeFormat(language.value, options).format(at);
}

/** @param {Language} chosen */
async function use(chosen) {
  messages = Object.assign({}, ...(await Promise.all(folders.map((folder) => fetchTexts(folder, chosen)))));
  compiled.clear();
  document.documentElement.lang = chosen;
  language.value = chosen;
}

/**
 * @param {string} folder
 * @param {Language} chosen
 */
async function fetchTexts(folder, chosen) {
  const response = await fetch(new URL(`./${folder}/${chosen}.json`, import.meta.url).href);
  if (!response.ok) {
    throw new Error(`The texts of "${chosen}" could not be loaded`);
  }
  return response.json();
}

function first() {
  const wanted = [stored(), ...(navigator.languages ?? [navigator.language])];
  const tag = wanted.map((each) => each?.slice(0, 2).toLowerCase()).find((each) => each && each in LANGUAGES);
  return /** @type {Language} */ (tag ?? "en");
}

function stored() {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}
