/**
 * Hooks that load data for a page: one object, or a list that grows page by page.
 *
 * Answers are kept for a few minutes, so that going back shows the same list at the same place.
 */
import { asApiError, call } from "../api.js";
import { place } from "../router.js";
import { useLayoutEffect, useRef, useState } from "../vendor/modules.js";
import { user } from "./session.js";

const KEPT = 5 * 60_000;
/** Enough for the steps back that one takes; the oldest goes first. */
const MOST = 50;
/** @type {Map<string, {time: number, value: any}>} */
const cache = new Map();

/**
 * @typedef {object} List A list as it is kept
 * @property {string | null} path
 * @property {any[]} items
 * @property {number} total
 * @property {boolean} hasNext
 * @property {number} pages Number of pages that were read
 * @property {number} next The page to read next: an earlier one after items have left the list
 * @property {number} limit Items of a page
 * @property {number} gone Number of items that the service's list has no longer
 * @property {boolean} isLoading
 * @property {import("../api.js").ApiError | undefined} error
 */

/**
 * @template T
 * @typedef {object} Loaded
 * @property {T | undefined} data
 * @property {import("../api.js").ApiError | undefined} error
 * @property {boolean} isLoading
 * @property {() => void} retry
 * @property {(change: T | ((data: T) => T)) => void} set Replace the data after a change that the
 *   user made: by a value, or by a function of the latest data
 */

/**
 * Load one object; a change of the path aborts the call before. The call begins before the page
 * is drawn, so that drawing does not delay it.
 *
 * @template T
 * @param {string} path
 * @returns {Loaded<T>}
 */
export function useLoad(path) {
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState(() => initial(path));
  const current = state.path === path ? state : initial(path);
  const latest = useRef(current);
  latest.current = current;
  const show = (/** @type {typeof current} */ value) => {
    latest.current = value;
    setState(value);
  };
  const retry = () => setAttempt((count) => count + 1);
  useLayoutEffect(() => {
    const aborter = new AbortController();
    // The data stays meanwhile, unless it has been forgotten.
    show(cache.has(path) ? { ...latest.current, error: undefined, isLoading: true } : initial(path));
    call("GET", path, { signal: aborter.signal })
      .then(({ data }) => {
        if (!aborter.signal.aborted) {
          keep(path, data);
          show({ path, data, error: undefined, isLoading: false });
        }
      })
      .catch((error) => {
        if (!aborter.signal.aborted) {
          show({ path, data: initial(path).data, error: asApiError(error), isLoading: false });
        }
      });
    return () => aborter.abort();
  }, [path, attempt, user.value?.id]);
  return {
    data: current.data,
    error: current.error,
    isLoading: current.isLoading,
    retry,
    set: (change) => {
      const { path: shown, data, isLoading } = latest.current;
      if (shown !== path) {
        // The change comes too late for what is shown now.
        cache.delete(path);
        return;
      }
      const isFunction = change instanceof Function;
      if (!isFunction || data !== undefined) {
        const next = isFunction ? change(data) : change;
        keep(path, next);
        show({ path, data: next, error: undefined, isLoading });
      }
      if (isLoading) {
        // The answer on its way may be older than the change.
        retry();
      }
    },
  };
}

/**
 * @template T
 * @typedef {object} LoadedList
 * @property {string | null} path
 * @property {T[]} items
 * @property {number} total
 * @property {boolean} hasNext
 * @property {boolean} isLoading
 * @property {boolean} isFirst Whether no page has arrived yet
 * @property {number} pages Number of pages that arrived
 * @property {import("../api.js").ApiError | undefined} error
 * @property {() => void} retry
 * @property {() => void} more
 * @property {() => void} reload Read the list again from its start
 * @property {() => Promise<void>} refresh Read the pages that are shown once more, so that the list
 *   keeps its length and its place; throws ApiError
 * @property {(change: (items: T[]) => T[], left?: number) => void} update `left` is the number of
 *   items that stay, although they have left the service's list
 */

/**
 * Load a list from its first page to the page `pages`; `more` asks for the next one.
 *
 * @template T
 * @param {string | null} path With its query, without `page`; null loads nothing
 * @param {number} pages
 * @param {(item: T) => string} identify Items that move between pages while one reads are shown once
 * @param {(pages: number) => void} onMore Writes the number of pages into the URL
 * @param {() => Promise<void>} [wait] Waits before the first call, so that typing is paced
 * @returns {LoadedList<T>}
 */
export function useList(path, pages, identify, onMore, wait) {
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState(() => initialList(path, wait));
  const current = state.path === path ? state : initialList(path, wait);
  const latest = useRef(current);
  latest.current = current;
  const show = (/** @type {typeof current} */ value) => {
    latest.current = value;
    setState(value);
  };
  const wanted = Math.max(pages, 1);
  useLayoutEffect(() => {
    if (path === null) {
      return undefined;
    }
    const aborter = new AbortController();
    const isWanting = ({ pages, hasNext } = latest.current) => pages < wanted && (pages === 0 || hasNext);
    const run = async () => {
      show({ ...latest.current, error: undefined, isLoading: isWanting() });
      if (wait && latest.current.pages === 0) {
        await wait();
      }
      while (!aborter.signal.aborted && isWanting()) {
        const before = latest.current;
        const value = await readOn(before, identify, aborter.signal);
        // A list that was changed meanwhile has other pages, and this one may be older than the change.
        if (!aborter.signal.aborted && latest.current.items === before.items) {
          keep(path, value);
          show({ ...value, isLoading: isWanting(value) });
        }
      }
    };
    run().catch((error) => {
      if (!aborter.signal.aborted) {
        show({ ...latest.current, error: asApiError(error), isLoading: false });
      }
    });
    return () => aborter.abort();
  }, [path, wanted, attempt, user.value?.id]);
  return {
    ...current,
    isFirst: current.pages === 0,
    retry: () => setAttempt((count) => count + 1),
    more: () => {
      if (!latest.current.isLoading && latest.current.hasNext) {
        onMore(latest.current.pages + 1);
      }
    },
    reload: () => {
      cache.delete(path ?? "");
      if (latest.current.path === path) {
        show(initialList(path));
        setAttempt((count) => count + 1);
      }
    },
    refresh: async () => {
      let before, value;
      do {
        before = latest.current;
        value = emptyList(path);
        do {
          value = await readOn(value, identify);
        } while (value.hasNext && value.pages < before.pages);
      } while (latest.current.path === path && latest.current.items !== before.items);
      if (path !== null && latest.current.path === path) {
        keep(path, value);
        show(value);
      }
    },
    update: (change, left = 0) => {
      const before = latest.current;
      if (before.path !== path) {
        // The change comes too late for what is shown now.
        cache.delete(path ?? "");
        return;
      }
      const items = change(before.items);
      const gone = before.gone + left;
      // The rest has moved to earlier pages of the service's list.
      const next = Math.min(before.next, Math.floor((items.length - gone) / before.limit) + 1);
      show({ ...before, items, gone, next, total: before.total + items.length - before.items.length });
      if (path !== null) {
        keep(path, { ...latest.current, isLoading: false });
      }
    },
  };
}

/** Forget what was loaded: a request has changed the states of titles. */
export function forget() {
  cache.clear();
}

// Another user may sign in.
user.subscribe(forget);

/**
 * @param {string} path
 * @returns {{path: string, data: any, error: import("../api.js").ApiError | undefined, isLoading: boolean}}
 */
function initial(path) {
  return { path, data: kept(path), error: undefined, isLoading: true };
}

/**
 * @param {string | null} path
 * @param {unknown} [isTyped] Whether the query is typed: it goes back and forth between answers
 */
function initialList(path, isTyped) {
  // A filter that one chooses, unlike a step back, asks for what is there now.
  const value = path === null || (place.value.by === "replace" && !isTyped) ? undefined : kept(path);
  return /** @type {List} */ (value ?? emptyList(path));
}

/**
 * @param {string | null} path
 * @returns {List}
 */
function emptyList(path) {
  return { path, items: [], total: 0, hasNext: false, pages: 0, next: 1, limit: 1, gone: 0, isLoading: path !== null, error: undefined };
}

/**
 * Read the next page of a list.
 *
 * @param {List} list
 * @param {(item: any) => string} identify
 * @param {AbortSignal} [signal]
 * @returns {Promise<List>}
 */
async function readOn(list, identify, signal) {
  const { path, items, pages, next, total } = list;
  const { data, pagination } = await call("GET", `${path}${path?.includes("?") ? "&" : "?"}page=${next}`, signal ? { signal } : {});
  const read = /** @type {any[]} */ (data);
  const known = new Set(items.map(identify));
  return {
    ...list,
    items: [...items, ...read.filter((item) => !known.has(identify(item)))],
    // With a later number, nobody would see that what the first pages show has changed.
    total: pages ? total : (pagination?.total ?? read.length),
    hasNext: pagination?.hasNext ?? false,
    limit: pagination?.limit ?? 1,
    pages: pages + 1,
    next: next + 1,
    isLoading: false,
    error: undefined,
  };
}

/** @param {string} path */
function kept(path) {
  const entry = cache.get(path);
  // A fresh visit reads again; a step back shows what was there.
  return entry && place.value.by !== "push" && Date.now() - entry.time < KEPT ? entry.value : undefined;
}

/**
 * @param {string} path
 * @param {any} value
 */
function keep(path, value) {
  cache.delete(path);
  cache.set(path, { time: Date.now(), value });
  if (cache.size > MOST) {
    cache.delete(/** @type {string} */ (cache.keys().next().value));
  }
}
