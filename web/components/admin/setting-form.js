import { asApiError, call } from "../../api.js";
import { relative, t } from "../../i18n.js";
import { useDraft } from "../../state/drafts.js";
import { html, useState } from "../../vendor/modules.js";
import { Button } from "../button.js";
import { Problem } from "../failure.js";
import { Field, useRefusals } from "../field.js";
import { Icon } from "../icon.js";
import { toast } from "../toasts.js";

/**
 * @typedef {import("../../api.js").Schemas["Setting"]} Setting
 * @typedef {Setting["fields"][number]} SettingField
 * @typedef {Record<string, any>} Value
 * @typedef {Record<string, string | boolean>} Typed Texts and checkboxes by the name of their field; "" is no limit
 * @typedef {{typed: Typed, seen: Value}} Edit The typed value, and the one that was shown when the typing began
 */

/**
 * One setting: a control for each of its fields. What another admin has saved meanwhile is shown
 * beside what is typed here, and nothing is overwritten without a choice.
 *
 * @param {{setting: Setting, onChange: (setting: Setting) => void}} props
 */
export function SettingForm({ setting, onChange }) {
  const { key, fields } = setting;
  const { typed, seen, isChanged, type, drop } = useEdit(setting);
  const [busy, setBusy] = useState(false);
  const [form, tried] = useRefusals(busy);
  const [error, setError] = useState(/** @type {import("../../api.js").ApiError | undefined} */ (undefined));
  const [refused, setRefused] = useState(/** @type {Record<string, string>} */ ({}));
  const problems = Object.fromEntries(fields.map((field) => [field.name, problemOf(field, typed[field.name] ?? "") ?? refused[field.name]]));
  const isValid = fields.every((field) => problemOf(field, typed[field.name] ?? "") === undefined);
  const isDefault = JSON.stringify(setting.value) === JSON.stringify(setting.default);
  const conflict = error?.code === "EDIT_CONFLICT" ? /** @type {{value: Value, updatedAt?: string, updatedByName?: string}} */ (error.details) : undefined;
  /**
   * @param {Value} value
   * @param {Value} expected
   */
  const save = async (value, expected) => {
    tried();
    setBusy(true);
    // The buttons of a conflict stay where they are until there is an answer.
    setError(conflict ? error : undefined);
    setRefused({});
    try {
      const { data } = await call("PUT", `/admin/config/${key}`, { body: { value, expected } });
      const changed = /** @type {Setting} */ (data);
      drop();
      setError(undefined);
      onChange(changed);
      toast(t("settings.saved", { name: nameOf(key) }));
    } catch (caught) {
      const failure = asApiError(caught);
      setRefused(refusalsOf(failure, key));
      setError(failure);
    }
    setBusy(false);
  };
  const takeTheirs = () => {
    if (conflict) {
      drop();
      setError(undefined);
      onChange({ ...setting, ...conflict });
    }
  };
  const takeDefault = () => {
    type(typedOf(setting.default, fields));
    save(setting.default, seen);
  };
  /** @param {Typed} next */
  const input = (next) => {
    type(next);
    setRefused({});
    // A conflict stays until it is decided.
    setError(conflict ? error : undefined);
  };
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (isChanged && isValid && !busy) {
      save(valueOf(typed, fields), seen);
    }
  };
  const id = `setting-${key.replace(".", "-")}`;
  return html`
    <section class="setting" aria-labelledby=${id}>
      <div>
        <h3 id=${id}>${nameOf(key)}</h3>
        <p class="small muted">${hintOf(key)}</p>
        <p class="small muted">${lastChange(setting)}</p>
        ${setting.updatedAt ? html`<p class="small muted">${t("settings.defaultIs", { value: described(setting.default, fields) })}</p>` : null}
      </div>
      <form ref=${form} onSubmit=${submit} novalidate>
        <div class="columns">${fields.map((field) => html`<${Control} key=${field.name} id=${`${id}-${field.name.replace(".", "-")}`} field=${field} value=${typed[field.name]} problem=${problems[field.name]} onInput=${(/** @type {string | boolean} */ next) => input({ ...typed, [field.name]: next })} />`)}</div>
        ${conflict
          ? html`
            <div class="note info" role="alert"><${Icon} name="info" /><span>
              ${conflict.updatedByName ? t("settings.conflictBy", { name: conflict.updatedByName, when: conflict.updatedAt ? relative(conflict.updatedAt) : "" }) : t("settings.conflict")}
              ${" "}${t("settings.theirs", { value: described(conflict.value, fields) })}
            </span></div>`
          : html`<${Problem} error=${fields.some(({ name }) => refused[name]) ? undefined : error} />`}
        <div class="btns start">
          ${conflict
            ? html`
              <${Button} key="theirs" onClick=${takeTheirs}>${t("settings.useTheirs")}<//>
              <${Button} key="mine" class="primary" busy=${busy} disabled=${!isValid} onClick=${() => save(valueOf(typed, fields), conflict.value)}>${t("settings.saveMine")}<//>`
            : html`
              <${Button} key="save" submit class="primary" label=${t("settings.saveOf", { name: nameOf(key) })} busy=${busy} disabled=${!isChanged || !isValid}>${t("settings.save")}<//>
              ${isDefault ? null : html`<${Button} key="default" class="bare" label=${t("settings.defaultOf", { name: nameOf(key) })} disabled=${busy} onClick=${takeDefault}>${t("settings.default")}<//>`}`}
        </div>
      </form>
    </section>`;
}

/**
 * Keep the typed value with the one that it replaces: after a reload, a value that another admin has
 * saved meanwhile would otherwise count as seen, and be overwritten untold.
 *
 * @param {Setting} setting
 */
function useEdit({ key, value, fields }) {
  const [draft, setDraft, dropDraft] = useDraft(`setting:${key}`, /** @type {Edit | null} */ (null));
  const saved = typedOf(value, fields);
  const edit = draft && !isSame(draft.typed, saved) ? draft : null;
  const seen = edit ? edit.seen : value;
  const drop = () => {
    setDraft(null);
    dropDraft();
  };
  return {
    typed: edit ? edit.typed : saved,
    seen,
    isChanged: edit !== null,
    /** @param {Typed} typed */
    type: (typed) => (isSame(typed, typedOf(seen, fields)) ? drop() : setDraft({ typed, seen })),
    drop,
  };
}

/**
 * @param {{id: string, field: SettingField, value: string | boolean | undefined, problem: string | undefined, onInput: (value: string | boolean) => void}} props
 */
function Control({ id, field, value, problem, onInput }) {
  const [first = "", second] = field.name.split(".").map(wordOf);
  const label = second ?? first;
  const outer = second ? `${first}: ` : "";
  if (field.type === "boolean") {
    return html`<label class="check"><input type="checkbox" checked=${value === true} onChange=${() => onInput(!value)} /><span>${label}${problem ? html`<span class="problem">${problem}</span>` : null}</span></label>`;
  }
  return html`<${Field} id=${id} label=${outer + label} hint=${field.nullable ? t("settings.emptyIsNone") : undefined} value=${value ?? ""} onInput=${onInput} isNumber=${field.type === "integer"} problem=${problem} />`;
}

/** @param {string} part Of the name of a field */
function wordOf(part) {
  return textOr(`settings.field.${part}`, part);
}

/** @param {string} key */
export function nameOf(key) {
  return textOr(`settings.name.${key}`, key);
}

/** @param {string} key */
function hintOf(key) {
  return key.startsWith("rateLimit.") ? t("settings.hint.rateLimit") : textOr(`settings.hint.${key}`, "");
}

/**
 * A setting of a later release has no text here.
 *
 * @param {string} key
 * @param {string} other
 */
function textOr(key, other) {
  const text = t(key);
  return text === key ? other : text;
}

/** @param {Setting} setting */
function lastChange({ updatedAt, updatedByName, default: value, fields }) {
  if (!updatedAt) {
    return t("settings.isDefault", { value: described(value, fields) });
  }
  return updatedByName ? t("settings.changedBy", { name: updatedByName, when: relative(updatedAt) }) : t("settings.changed", { when: relative(updatedAt) });
}

/**
 * @param {Value} value
 * @param {SettingField[]} fields
 * @returns {Typed}
 */
function typedOf(value, fields) {
  return Object.fromEntries(fields.map(({ name, type }) => [name, type === "boolean" ? at(value, name) === true : String(at(value, name) ?? "")]));
}

/**
 * @param {Typed} typed
 * @param {SettingField[]} fields
 */
function valueOf(typed, fields) {
  /** @type {Value} */
  const value = {};
  for (const { name, type } of fields) {
    const given = typed[name] ?? "";
    const [outer = "", inner] = name.split(".");
    const own = type === "integer" ? (given === "" ? null : Number(given)) : type === "string" ? String(given).trim() : given;
    if (inner) {
      value[outer] = { ...value[outer], [inner]: own };
    } else {
      value[outer] = own;
    }
  }
  return value;
}

/**
 * @param {Value} value
 * @param {string} name
 * @returns {any}
 */
function at(value, name) {
  return name.split(".").reduce((part, step) => part?.[step], value);
}

/**
 * Return what is wrong with a typed text, by the bounds that the API tells.
 *
 * @param {SettingField} field
 * @param {string | boolean} given
 */
function problemOf({ type, minimum, maximum, nullable }, given) {
  if (type === "boolean" || (nullable && given === "")) {
    return undefined;
  }
  const least = minimum ?? 0;
  const most = maximum ?? Number.MAX_SAFE_INTEGER;
  const text = String(given).trim();
  if (type === "string") {
    return text.length >= least && text.length <= most ? undefined : t("settings.length", { least, most });
  }
  return /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most ? undefined : t("users.between", { least, most });
}

/**
 * Return the refusals of the API by the name of their field.
 *
 * @param {import("../../api.js").ApiError} error
 * @param {string} key Of the setting
 */
function refusalsOf(error, key) {
  const details = /** @type {{field: string}[]} */ (error.code === "VALIDATION_ERROR" && Array.isArray(error.details) ? error.details : []);
  const names = details.map(({ field }) => field.replace("body.value.", ""));
  return Object.fromEntries(names.map((name) => [name, textOr(`settings.refused.${key}.${name}`, t("settings.refused"))]));
}

/**
 * @param {Typed} one
 * @param {Typed} other
 */
function isSame(one, other) {
  return Object.keys(other).every((name) => one[name] === other[name]);
}

/**
 * @param {Value} value
 * @param {SettingField[]} fields
 */
function described(value, fields) {
  return fields
    .map(({ name, type }) => {
      const own = at(value, name);
      const label = name.split(".").map(wordOf).join(" ");
      return `${label}: ${type === "boolean" ? t(own ? "settings.yes" : "settings.no") : own === null ? t("settings.none") : own}`;
    })
    .join(", ");
}
