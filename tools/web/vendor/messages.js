// Messages in ICU syntax: a package parses them, and the browser's Intl formats their arguments.
import { parse } from "@messageformat/parser";

const STYLES = {
  integer: { maximumFractionDigits: 0 },
  percent: { style: "percent" },
};
const formatters = new Map();

// A formatter takes a hundred times longer to make than to use.
function intl(Type, locale, options = {}) {
  const key = [Type.name, locale, JSON.stringify(options)].join();
  if (!formatters.has(key)) formatters.set(key, new Type(locale, options));
  return formatters.get(key);
}

function number(value, locale, style) {
  return intl(Intl.NumberFormat, locale, STYLES[style]).format(value);
}

function formatted({ key, param = [] }, value, locale) {
  const style = param.map((token) => token.value).join("").trim();
  if (key === "number") return number(value, locale, style);
  if (key !== "date" && key !== "time") throw new Error(`A message has the unknown format ${key}`);
  const options = { [`${key}Style`]: style || "medium" };
  return intl(Intl.DateTimeFormat, locale, options).format(new Date(value));
}

function chosen({ type, cases }, value, count, locale) {
  const tokens = (key) => cases.find((each) => each.key === key)?.tokens;
  if (type === "select") return tokens(String(value)) || tokens("other") || [];
  const rules = { type: type === "plural" ? "cardinal" : "ordinal" };
  const category = intl(Intl.PluralRules, locale, rules).select(count);
  return tokens(`=${value}`) || tokens(category) || tokens("other") || [];
}

function walk(tokens, values, locale, count) {
  return tokens.flatMap((token) => {
    if (token.type === "content") return token.value;
    if (token.type === "octothorpe") return number(count, locale);
    if (!(token.arg in values)) throw new Error(`A message lacks its argument ${token.arg}`);
    const value = values[token.arg];
    if (token.type === "argument") return typeof value === "number" ? number(value, locale) : value;
    if (token.type === "function") return formatted(token, value, locale);
    const rest = token.type === "select" ? count : value - (token.pluralOffset || 0);
    return walk(chosen(token, value, rest, locale), values, locale, rest);
  });
}

export function compile(message, locale) {
  const tokens = parse(message, { strict: true });
  return (values = {}) => walk(tokens, values, locale);
}
