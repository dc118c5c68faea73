/**
 * Decisions of an admin: approve and decline, one request or many, and what follows an approval.
 *
 * Another admin may decide at the same time, and a requester may cancel: such a refusal is an outcome
 * to show, not a failure.
 */
import { asApiError, call } from "../../api.js";
import { toast } from "../../components/toasts.js";
import { errorText, t } from "../../i18n.js";
import { useRef, useState } from "../../vendor/modules.js";
import { forget } from "../load.js";
import { useSelection } from "../selection.js";

/**
 * @typedef {import("../../api.js").Schemas["AdminRequest"]} AdminRequest
 * @typedef {import("../../api.js").Schemas["MediaRequest"]} MediaRequest
 * @typedef {"approve" | "decline" | "retry" | "withdraw"} Action
 * @typedef {{status?: "pending" | "approved" | "declined", processedByName?: string, processedAt?: string}} Refusal `status` is absent when the request is gone
 * @typedef {{code: string, message: string, details?: any}} Problem
 * @typedef {{status: "approved" | "declined"} | {refusal: Refusal} | {error: Problem}} Result
 * @typedef {{request: MediaRequest} | {refusal: Refusal}} Outcome
 * @typedef {{decision: "approve" | "decline", reason?: string}} Decision
 * @typedef {{decision: "approve" | "decline", done: number, conflicts: ({id: string, title: string} & ({refusal: Refusal} | {error: Problem}))[]}} BulkResult
 * @typedef {{kind: "decline" | "withdraw" | "more" | "help", ids: string[]}} Opened A dialog, and the requests that it is about
 * @typedef {import("../../api.js").ApiError} ApiError
 * @typedef {ReturnType<typeof useDecisions>} Decisions
 */

/** Most requests that the API decides in one call. */
const BATCH = 100;
const DONE = { approve: "approved", decline: "declined", retry: "retried", withdraw: "withdrawn" };

/**
 * Do something with one request; throws ApiError unless the service has done or refused it.
 *
 * @param {string} id
 * @param {Action} action
 * @param {object} body
 * @returns {Promise<Outcome>}
 */
export async function act(id, action, body) {
  try {
    const { data } = await call("POST", `/admin/requests/${id}/${action}`, { body });
    forget();
    return { request: /** @type {MediaRequest} */ (data) };
  } catch (caught) {
    const error = asApiError(caught);
    const refusal = refusalOf(error);
    if (!refusal) {
      throw error;
    }
    return { refusal };
  }
}

/**
 * Approve or decline many requests; `onBatch` gets the outcomes of each call. A failure of a call,
 * which is thrown as ApiError, leaves the rest undecided.
 *
 * @param {string[]} ids
 * @param {Decision} decision
 * @param {(outcomes: Map<string, Result>) => void} onBatch
 */
export async function decideMany(ids, decision, onBatch) {
  for (let start = 0; start < ids.length; start += BATCH) {
    const { data } = await call("POST", "/admin/requests/decisions", { body: { ...decision, ids: ids.slice(start, start + BATCH) } });
    const decisions = /** @type {import("../../api.js").Schemas["Decision"][]} */ (data);
    forget();
    onBatch(new Map(decisions.map(({ id, status, error }) => [id, status ? { status } : resultOf(/** @type {Problem} */ (error))])));
  }
}

/**
 * Return what another has done to the request before; undefined for any other error, which leaves
 * the request as it was.
 *
 * @param {Problem} error
 * @returns {Refusal | undefined}
 */
function refusalOf({ code, details }) {
  if (code === "NOT_FOUND") {
    return {};
  }
  return code === "INVALID_STATE" && details?.status ? details : undefined;
}

/**
 * @param {Problem} error
 * @returns {Result}
 */
function resultOf(error) {
  const refusal = refusalOf(error);
  return refusal ? { refusal } : { error };
}

/**
 * The decisions of the queue: selection, what runs, and the outcomes.
 *
 * @param {import("../load.js").LoadedList<AdminRequest>} list
 * @param {string} tab "all", or the state of the requests in the list
 * @param {(changes: Record<string, number>) => void} adjust Gets the changes of the numbers by state
 * @param {() => void} recount Reads these numbers again
 */
export function useDecisions(list, tab, adjust, recount) {
  const [opened, setOpened] = useState(/** @type {Opened | null} */ (null));
  const [busy, setBusy] = useState({ id: "", action: "" });
  const [error, setError] = useState(/** @type {ApiError | undefined} */ (undefined));
  const [refusals, setRefusals] = useState(/** @type {Map<string, Refusal>} */ (new Map()));
  const [progress, setProgress] = useState(/** @type {{done: number, total: number} | null} */ (null));
  const [result, setResult] = useState(/** @type {BulkResult | null} */ (null));
  const selection = useSelection(list.items.filter(({ id, status }) => status === "pending" && !refusals.has(id)).map(({ id }) => id));
  const latestList = useRef(list);
  latestList.current = list;
  const latestOpened = useRef(opened);
  latestOpened.current = opened;
  const find = (/** @type {string} */ id) => latestList.current.items.find((each) => each.id === id);
  const open = (/** @type {Opened | null} */ next) => {
    setError(undefined);
    setOpened(next);
  };
  /** Close the dialog that an action began in; another may be open by now. */
  const close = () => setOpened((now) => (now === opened ? null : now));
  /**
   * Tell of a failure where the action began, or in a message when that is gone.
   *
   * @param {unknown} caught
   * @param {boolean} isPlaced Whether the place of the action shows errors
   * @param {string} [title]
   */
  const fail = (caught, isPlaced, title) => {
    const failure = asApiError(caught);
    if (isPlaced && latestOpened.current === opened) {
      setError(failure);
    } else {
      toast(`${title ? `${title}: ` : ""}${errorText(failure)}`, { icon: "triangle-alert" });
    }
  };
  /**
   * Put outcomes into the list; a decided request leaves a tab of another state.
   *
   * @param {Map<string, Partial<AdminRequest>>} decided
   * @param {Map<string, Refusal>} refused
   */
  const settle = (decided, refused) => {
    adjust(changesOf(Array.from(decided, ([id, { status }]) => [find(id)?.status, status])));
    const changed = (/** @type {AdminRequest} */ each) => (decided.has(each.id) ? { ...each, ...decided.get(each.id) } : each);
    const left = Array.from(refused.values()).filter(({ status }) => !status || (tab !== "all" && status !== tab)).length;
    latestList.current.update((items) => items.map(changed).filter(({ status }) => tab === "all" || status === tab), left);
    if (refused.size) {
      setRefusals((before) => new Map([...before, ...refused]));
      recount();
    }
    selection.drop([...decided.keys(), ...refused.keys()]);
  };
  /**
   * Do something with one request; return whether the service has answered, with yes or no.
   *
   * @param {AdminRequest} request
   * @param {Action} action
   * @param {object} body
   */
  const send = async (request, action, body) => {
    setBusy({ id: request.id, action });
    setError(undefined);
    try {
      const outcome = await act(request.id, action, body);
      close();
      if ("request" in outcome) {
        toast(t(`queue.${DONE[action]}`, { title: request.title }));
        settle(new Map([[request.id, outcome.request]]), new Map());
      } else {
        settle(new Map(), new Map([[request.id, outcome.refusal]]));
      }
      return true;
    } catch (caught) {
      fail(caught, opened !== null, request.title);
      return false;
    } finally {
      setBusy({ id: "", action: "" });
    }
  };
  /**
   * Decide many requests; return whether the service has answered for all of them.
   *
   * @param {string[]} ids
   * @param {Decision} decision
   */
  const decide = async (ids, decision) => {
    const so = /** @type {BulkResult} */ ({ decision: decision.decision, done: 0, conflicts: [] });
    const titles = new Map(ids.map((id) => [id, find(id)?.title ?? ""]));
    setProgress({ done: 0, total: ids.length });
    setError(undefined);
    setResult(null);
    try {
      await decideMany(ids, decision, (outcomes) => {
        const all = Array.from(outcomes);
        const decided = new Map(all.flatMap(([id, each]) => ("status" in each ? [[id, { ...each, reason: decision.reason }]] : [])));
        const refused = new Map(all.flatMap(([id, each]) => ("refusal" in each ? [[id, each.refusal]] : [])));
        so.done += decided.size;
        so.conflicts.push(...all.flatMap(([id, each]) => ("status" in each ? [] : [{ id, title: titles.get(id) ?? "", ...each }])));
        setProgress({ done: so.done + so.conflicts.length, total: ids.length });
        settle(decided, refused);
      });
      close();
      return true;
    } catch (caught) {
      fail(caught, true);
      return false;
    } finally {
      setProgress(null);
      setResult(so.done || so.conflicts.length ? so : null);
    }
  };
  return { list, selection, busy, error, refusals, progress, result, opened, open, find, send, decide, clearResult: () => setResult(null), ...useStable(send, open, selection) };
}

/**
 * Return functions that stay the same at each call, so that a row is drawn again only when its
 * request changes.
 *
 * @param {(request: AdminRequest, action: Action, body: object) => Promise<boolean>} send
 * @param {(opened: Opened) => void} open
 * @param {import("../selection.js").Selection} selection
 */
function useStable(send, open, selection) {
  const latest = useRef({ send, open, selection });
  latest.current = { send, open, selection };
  const [stable] = useState(() => ({
    run: (/** @type {AdminRequest} */ request, /** @type {"approve" | "retry" | "decline" | "more"} */ action) => {
      if (action === "approve" || action === "retry") {
        void latest.current.send(request, action, {});
      } else {
        latest.current.open({ kind: action, ids: [request.id] });
      }
    },
    select: (/** @type {string} */ id, /** @type {boolean} */ isRange) => latest.current.selection.toggle(id, isRange),
  }));
  return stable;
}

/**
 * Return by how much the numbers of requests change, by state.
 *
 * @param {(string | undefined)[][]} moves State before and after
 */
function changesOf(moves) {
  /** @type {Record<string, number>} */
  const changes = {};
  for (const [before = "", after = ""] of moves) {
    changes[before] = (changes[before] ?? 0) - 1;
    changes[after] = (changes[after] ?? 0) + 1;
  }
  return changes;
}
