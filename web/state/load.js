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
 * @template T
 * @typedef {object} Loaded
 * @property {T | undefined} data
 * @property {import("../api.js").ApiError | undefined} error
 * @property {boolean} isLoading
 * @property {() => void} retry
 * @property {(data: T) => void} set Replace the data after a change that the user made
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
  useLayoutEffect(() => {
    const aborter = new AbortController();
    setState(initial(path));
    call("GET", path, { signal: aborter.signal })
      .then(({ data }) => {
        keep(path, data);
        setState({ path, data, error: undefined, isLoading: false });
      })
      .catch((error) => {
        if (!aborter.signal.aborted) {
          const data = initial(path).data;
          setState({ path, data, error: asApiError(error), isLoading: false });
        }
      });
    return () => aborter.abort();
  }, [path, attempt, user.value?.id]);
  const current = state.path === path ? state : initial(path);
  return {
    data: current.data,
    error: current.error,
    isLoading: current.isLoading,
    retry: () => setAttempt((count) => count + 1),
    set: (data) => {
      keep(path, data);
      setState({ path, data, error: undefined, isLoading: false });
    },
  };
}

/**
 * @template T
 * @typedef {object} LoadedList
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
 * @property {(change: (items: T[]) => T[]) => void} update
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
  const [state, setState] = useState(() => initialList(path));
  const current = state.path === path ? state : initialList(path);
  const latest = useRef(current);
  latest.current = current;
  const wanted = Math.max(pages, 1);
  useLayoutEffect(() => {
    if (path === null) {
      return undefined;
    }
    const aborter = new AbortController();
    const run = async () => {
      let value = latest.current.path === path ? latest.current : initialList(path);
      if (value.pages >= wanted || (value.pages > 0 && !value.hasNext)) {
        setState(value);
        return;
      }
      setState({ ...value, error: undefined, isLoading: true });
      if (wait && value.pages === 0) {
        await wait();
      }
      while (value.pages < wanted && !aborter.signal.aborted) {
        const page = value.pages + 1;
        const { data, pagination } = await call("GET", `${path}${path.includes("?") ? "&" : "?"}page=${page}`, { signal: aborter.signal });
        value = appended(value, /** @type {T[]} */ (data), pagination, identify);
        keep(path, value);
        const isLoading = value.pages < wanted && value.hasNext;
        setState({ ...value, isLoading });
        if (!value.hasNext) {
          break;
        }
      }
    };
    run().catch((error) => {
      if (!aborter.signal.aborted) {
        setState({ ...latest.current, path, error: asApiError(error), isLoading: false });
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
      setState(initialList(path));
      setAttempt((count) => count + 1);
    },
    update: (change) => {
      const items = change(latest.current.items);
      const value = { ...latest.current, items, total: latest.current.total + items.length - latest.current.items.length };
      latest.current = value;
      if (path !== null) {
        keep(path, value);
      }
      setState(value);
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
 * @returns {{path: string | null, items: any[], total: number, hasNext: boolean, pages: number, isLoading: boolean, error: import("../api.js").ApiError | undefined}}
 */
function initialList(path) {
  const value = path === null ? undefined : kept(path);
  return value ?? { path, items: [], total: 0, hasNext: false, pages: 0, isLoading: path !== null, error: undefined };
}

/**
 * @param {ReturnType<typeof initialList>} value
 * @param {any[]} items
 * @param {import("../api.js").Pagination | undefined} pagination
 * @param {(item: any) => string} identify
 */
function appended(value, items, pagination, identify) {
  const known = new Set(value.items.map(identify));
  return {
    ...value,
    items: [...value.items, ...items.filter((item) => !known.has(identify(item)))],
    total: pagination?.total ?? items.length,
    hasNext: pagination?.hasNext ?? false,
    pages: value.pages + 1,
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
