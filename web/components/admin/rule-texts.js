import { language, list, t } from "../../i18n.js";

/** @typedef {import("../../state/admin/rules.js").Edited} Edited */

/** The genres of TMDB by their ids. */
export const GENRES = {
  movie: [28, 12, 16, 35, 80, 99, 18, 10751, 14, 36, 27, 10402, 9648, 10749, 878, 10770, 53, 10752, 37],
  tv: [10759, 16, 35, 80, 99, 18, 10751, 10762, 9648, 10763, 10764, 10765, 10766, 10767, 10768, 37],
};
/** Languages that films and shows are often made in. */
export const LANGUAGE_CODES = (
  "ar bg bn ca cn cs da de el en es et eu fa fi fr gl he hi hr hu id is it ja ka ko lt lv ml ms nl no pl pt ro ru sk sl sr sv ta te th tl tr uk ur vi zh"
).split(" ");

/** @param {number} id */
export function genre(id) {
  const key = `genre.${id}`;
  const text = t(`genre.${id}`);
  return text === key ? t("rules.genreNumber", { id: String(id) }) : text;
}

/**
 * Return the name of a language; TMDB has `cn` for Cantonese.
 *
 * @param {string} code
 */
export function languageName(code) {
  const names = /** @type {any} */ (Intl)["DisplayNames"];
  const name = names ? new names([language.value], { type: "language" }).of(code === "cn" ? "yue" : code) : code;
  return name === code ? code.toUpperCase() : name;
}

/**
 * Return a rule as a sentence.
 *
 * @param {Edited} rule
 * @param {Map<string, string>} users
 * @param {string | undefined} server
 */
export function ruleText({ mediaType, conditions, options }, users, server) {
  const { userIds, genreIds, languages, keywordIds, anime } = conditions;
  const parts = [];
  if (anime !== undefined && anime !== null) {
    parts.push(t(anime ? "rules.text.anime" : "rules.text.noAnime"));
  }
  if (genreIds && genreIds.length) {
    parts.push(t("rules.text.genres", { genres: genreIds.map(genre).join(", ") }));
  }
  if (languages && languages.length) {
    parts.push(t("rules.text.languages", { languages: languages.map(languageName).join(", ") }));
  }
  if (keywordIds && keywordIds.length) {
    parts.push(t("rules.text.keywords", { keywords: keywordIds.join(", ") }));
  }
  if (userIds && userIds.length) {
    parts.push(t("rules.text.users", { users: userIds.map((id) => users.get(id) || t(users.has(id) ? "rules.deletedUser" : "rules.someone")).join(", ") }));
  }
  const where = t(`rules.text.${mediaType}`, { server: server ?? t("rules.noServer") });
  const count = Object.keys(options).length;
  return [
    parts.length ? t("rules.text.if", { where, conditions: list(parts) }) : t("rules.text.always", { where }),
    count ? t("rules.text.options", { count }) : "",
  ].filter(Boolean).join(" ");
}
