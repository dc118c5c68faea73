import { asApiError, call } from "../../api.js";
import { errorText, t } from "../../i18n.js";
import { link } from "../../router.js";
import { useSettled } from "../../state/settled.js";
import { html, useEffect, useRef, useState } from "../../vendor/modules.js";
import { Button } from "../button.js";
import { Icon } from "../icon.js";

/** @typedef {import("../../api.js").Schemas["User"]} User */
/** @typedef {{id: string, username: string}} Person */

const SHOWN = 8;

/**
 * A field that finds a user by name or e-mail address; a chosen one is shown with a button that
 * removes the choice.
 *
 * @param {{id: string, label: string, value: Person | null, onChange: (person: Person | null) => void}} props
 */
export function PersonField({ id, label, value, onChange }) {
  const [words, setWords] = useState("");
  const [found, setFound] = useState(/** @type {User[]} */ ([]));
  const [at, setAt] = useState(0);
  const [problem, setProblem] = useState("");
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useFound(words, setFound, setProblem);
  const isOpen = words.trim() !== "" && found.length > 0;
  const choose = (/** @type {User} */ { id: chosen, username }) => {
    setWords("");
    setFound([]);
    onChange({ id: chosen, username });
  };
  /** @param {KeyboardEvent} event */
  const keyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const person = found[at];
    if (step && isOpen) {
      event.preventDefault();
      setAt((at + step + found.length) % found.length);
    } else if (event.key === "Enter" && isOpen && person) {
      event.preventDefault();
      choose(person);
    } else if (event.key === "Escape" && words) {
      event.preventDefault();
      event.stopPropagation();
      setWords("");
    }
  };
  useEffect(() => setAt(0), [found]);
  if (value) {
    return html`
      <div class="field"><span class="name">${label}</span>
        <span class="chosen"><span>${value.username}</span><${Button} class="bare" label=${t("admin.person.remove", { name: value.username })} onClick=${() => onChange(null)}><${Icon} name="x" /><//></span>
      </div>`;
  }
  return html`
    <div class="field person">
      <label class="name" for=${id}>${label}</label>
      <input ref=${field} id=${id} type="text" value=${words} autocomplete="off" autocapitalize="none" autocorrect=${false} spellcheck=${false} role="combobox" aria-autocomplete="list"
        placeholder=${t("admin.person.placeholder")} aria-expanded=${isOpen ? "true" : "false"} aria-controls=${`${id}-list`}
        aria-activedescendant=${isOpen ? `${id}-${at}` : undefined}
        onInput=${(/** @type {any} */ event) => setWords(event.currentTarget.value)} onKeyDown=${keyDown} />
      <ul class="options" id=${`${id}-list`} role="listbox" aria-label=${label} hidden=${!isOpen}>
        ${found.map(
          (person, index) => html`
            <li key=${person.id} id=${`${id}-${index}`} role="option" aria-selected=${index === at ? "true" : "false"} onClick=${() => choose(person)}>
              <b>${person.username}</b> <span class="muted small">${person.email}</span>
            </li>`,
        )}
      </ul>
      <span class="problem" role="status">${problem}</span>
    </div>`;
}

/**
 * Find users once the words have settled; an older answer is dropped.
 *
 * @param {string} words
 * @param {(found: User[]) => void} setFound
 * @param {(problem: string) => void} setProblem
 */
function useFound(words, setFound, setProblem) {
  const search = useSettled(words.trim());
  useEffect(() => {
    setProblem("");
    if (!search) {
      setFound([]);
      return undefined;
    }
    const aborter = new AbortController();
    call("GET", link("/admin/users", { search, limit: SHOWN, sort: "username" }), { signal: aborter.signal }).then(
      ({ data }) => {
        const users = /** @type {User[]} */ (data);
        setFound(users);
        setProblem(users.length ? "" : t("admin.person.nobody"));
      },
      (error) => {
        if (!aborter.signal.aborted) {
          setProblem(errorText(asApiError(error)));
        }
      },
    );
    return () => aborter.abort();
  }, [search]);
}
