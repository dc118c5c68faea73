import { t } from "../i18n.js";
import { html, useLayoutEffect, useRef } from "../vendor/modules.js";
import { Button } from "./button.js";
import { Problem } from "./failure.js";
import { useRefusals } from "./field.js";
import { Icon } from "./icon.js";

const FOCUSABLE = "a[href], button, input, select, textarea, [tabindex='0']";

/**
 * A dialog: the focus moves into it, stays in it, and goes back to where it was. Escape closes it.
 *
 * The first element with `data-focus` gets the focus, else the heading, so that the text is read.
 *
 * @param {{title: string, onClose: () => void, children: any, wide?: boolean}} props
 */
export function Dialog({ title, onClose, children, wide = false }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  // A selection of text that ends on the veil also clicks it.
  const isPressed = useRef(false);
  const isVeil = (/** @type {Event} */ event) => event.target === event.currentTarget;
  useBack(onClose);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const target = box.current?.querySelector("[data-focus]") ?? box.current?.querySelector("h2");
    if (target instanceof HTMLElement) {
      target.focus();
    }
    document.body.classList.add("locked");
    return () => {
      document.body.classList.remove("locked");
      giveBack(before);
    };
  }, []);
  /** @param {KeyboardEvent} event */
  const keyDown = (event) => {
    // The shortcuts of the page behind it rest.
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      onClose();
    } else if (event.key === "Tab" && box.current) {
      keepInside(event, box.current);
    }
  };
  return html`
    <div class="veil" onKeyDown=${keyDown} onMouseDown=${(/** @type {Event} */ event) => { isPressed.current = isVeil(event); }} onClick=${(/** @type {Event} */ event) => isPressed.current && isVeil(event) && onClose()}>
      <div class=${wide ? "dialog wide" : "dialog"} role="dialog" aria-modal="true" aria-labelledby="dialog-title" ref=${box}>
        <div class="dialog-head">
          <h2 id="dialog-title" tabindex="-1">${title}</h2>
          <${Button} class="bare" label=${t("dialog.close")} onClick=${onClose}><${Icon} name="x" /><//>
        </div>
        ${children}
      </div>
    </div>`;
}

/**
 * Close the dialog by the step back of a phone, where the browser tells of it: it would leave the page.
 *
 * @param {() => void} onClose
 */
function useBack(onClose) {
  const latest = useRef(onClose);
  latest.current = onClose;
  useLayoutEffect(() => {
    const { CloseWatcher } = /** @type {any} */ (window);
    /** @type {{onclose: () => void, destroy: () => void} | undefined} */
    let watcher;
    // Each watcher closes once, and a dialog that is busy stays.
    const watch = () => {
      watcher = CloseWatcher && new CloseWatcher();
      if (watcher) {
        watcher.onclose = () => {
          watch();
          latest.current();
        };
      }
    };
    watch();
    return () => watcher?.destroy();
  }, []);
}

/**
 * A dialog that asks before something is done. `children` is the text, or fields. It stays until the
 * answer is there, so that a failure shows in it.
 *
 * @param {{title: string, action: string, onConfirm: () => void, onClose: () => void, children?: any, isBad?: boolean, busy?: boolean,
 *   disabled?: boolean, error?: import("../api.js").ApiError | undefined}} props
 */
export function Confirm({ title, action, onConfirm, onClose, children, isBad = false, busy = false, disabled = false, error }) {
  const [form, tried] = useRefusals(busy);
  const close = () => busy || onClose();
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!busy && !disabled) {
      tried();
      onConfirm();
    }
  };
  return html`
    <${Dialog} title=${title} onClose=${close}>
      <form ref=${form} onSubmit=${submit} novalidate>
        ${children}
        <${Problem} error=${error} />
        <div class="btns">
          <${Button} onClick=${close}>${t("dialog.cancel")}<//>
          <${Button} submit class=${isBad ? "danger" : "primary"} busy=${busy} disabled=${disabled}>${action}<//>
        </div>
      </form>
    <//>`;
}

/**
 * Move the focus from the last element to the first one, and back.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} box
 */
function keepInside(event, box) {
  const all = /** @type {HTMLElement[]} */ (Array.from(box.querySelectorAll(FOCUSABLE))).filter((each) => each.tabIndex >= 0 && each.offsetParent !== null);
  const edge = event.shiftKey ? all[0] : all[all.length - 1];
  const other = event.shiftKey ? all[all.length - 1] : all[0];
  const at = document.activeElement;
  if (at === edge || !(at instanceof HTMLElement) || !all.includes(at)) {
    event.preventDefault();
    other?.focus();
  }
}

/**
 * Return the focus to an element, or to the heading of the page when it is gone.
 *
 * @param {Element | null} before
 */
function giveBack(before) {
  requestAnimationFrame(() => {
    const target = before instanceof HTMLElement && before.isConnected && before !== document.body ? before : document.querySelector("h1");
    // Not from an element that the action has moved the focus to.
    if (target instanceof HTMLElement && (document.activeElement === document.body || document.activeElement === null)) {
      target.focus();
    }
  });
}
