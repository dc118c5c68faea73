// Messages in ICU syntax: a package parses them, and the browser's Intl formats their arguments.
import parse from "format-message-parse";

const BRANCH = { plural: /^(=\d+|zero|one|two|few|many|other)$/, select: /^[^=]+$/ };
const formatters = new Map();

// A formatter takes a hundred times longer to make than to use.
function intl(type, locale) {
  const key = `${type} ${locale}`;
  if (!formatters.has(key)) formatters.set(key, new Intl[type](locale));
  return formatters.get(key);
}

// The parser accepts any type, style and branch, so that a mistake would show only in use.
function check(element) {
  if (typeof element === "string" || element.length === 1) return;
  const [name, type] = element;
  const branches = type === "plural" ? element[3] : element[2];
  if (type === "number" ? branches !== undefined : !BRANCH[type] || element[2] > 0) {
    throw new SyntaxError(`A message has an unknown format of ${name}: ${element.slice(1, 3).join(", ")}`);
  }
  for (const [key, elements] of Object.entries(branches ?? {})) {
    if (!BRANCH[type].test(key)) throw new SyntaxError(`A message has the unknown branch ${key} of ${name}`);
    elements.forEach(check);
  }
}

function branch(branches, keys) {
  const key = keys.find((each) => Object.prototype.hasOwnProperty.call(branches, each));
  return branches[key ?? "other"];
}

function walk(elements, values, locale, count) {
  return elements.flatMap((element) => {
    if (typeof element === "string") return element;
    const [name, type, branches, counted] = element;
    if (name === "#") return intl("NumberFormat", locale).format(count);
    if (!(name in values)) throw new Error(`A message lacks its argument ${name}`);
    const value = values[name];
    if (type === "select") return walk(branch(branches, [value]), values, locale, count);
    if (type === "plural") {
      const category = intl("PluralRules", locale).select(value);
      return walk(branch(counted, [`=${value}`, category]), values, locale, value);
    }
    return type || typeof value === "number" ? intl("NumberFormat", locale).format(value) : value;
  });
}

export function compile(message, locale) {
  const elements = parse(message);
  elements.forEach(check);
  return (values = {}) => walk(elements, values, locale);
}
