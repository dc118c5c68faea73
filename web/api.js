/**
 * The one client of the API: envelope, CSRF token, time-out, rate limits, expired sessions.
 */
import { csrfToken, expire, reload } from "./state/session.js";

const TIMEOUT = 35_000;
/** Calls left from which on the next ones are spread. */
const SCARCE = 10;

/**
 * @typedef {import("./types/api").components["schemas"]} Schemas
 * @typedef {{page: number, limit: number, total: number, hasNext: boolean, hasPrev: boolean}} Pagination
 * @typedef {{body?: object, key?: string, signal?: AbortSignal, anonymous?: boolean}} Options
 */

/** A refusal of the API, or `OFFLINE` and `TIMEOUT` when no answer came. */
export class ApiError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{status?: number, details?: any, retryAfter?: number}} [more] `retryAfter` in seconds
   */
  constructor(code, message, more = {}) {
    super(message);
    this.code = code;
    this.status = more.status ?? 0;
    this.details = more.details;
    this.retryAfter = more.retryAfter ?? 0;
  }

  /** Whether the call may have had its effect, or may have it later: repeat it with the same key. */
  get isUncertain() {
    return this.status === 0 || this.status >= 500 || this.code === "IDEMPOTENCY_IN_PROGRESS";
  }
}

/**
 * Budgets that are nearly used up, by path: when a caller is close to a limit, it slows down.
 * @type {Map<string, {remaining: number, resetAt: number}>}
 */
const budgets = new Map();

/** @param {unknown} error */
export function asApiError(error) {
  return error instanceof ApiError ? error : new ApiError("PAGE_ERROR", String(error));
}

/**
 * Call the API; throws ApiError.
 *
 * @template T
 * @param {string} method
 * @param {string} path With its query, below /api
 * @param {Options} [options] `key` is an Idempotency-Key; `anonymous` calls end no session on 401
 * @returns {Promise<{data: T, pagination?: Pagination}>}
 */
export async function call(method, path, options = {}) {
  const answer = await send(method, path, options);
  if (answer instanceof ApiError && answer.code === "CSRF_TOKEN_MISMATCH") {
    // Another tab may have signed in again since this one read its token.
    await reload();
    return unwrap(await send(method, path, options), options);
  }
  return unwrap(answer, options);
}

/**
 * Return the number of milliseconds to wait before the next call of a path, from the rate limit's
 * last answer: none while many calls are left, then the rest spread over the window.
 *
 * @param {string} path Without its query
 */
export function pace(path) {
  const budget = budgets.get(path);
  const left = budget ? budget.resetAt - Date.now() : 0;
  return budget && left > 0 ? left / Math.max(budget.remaining, 1) : 0;
}

/**
 * @template T
 * @param {ApiError | {data: T, pagination?: Pagination}} answer
 * @param {Options} options
 */
function unwrap(answer, options) {
  if (answer instanceof ApiError) {
    if (answer.code === "JWT_INVALID" && !options.anonymous) {
      expire();
    } else if (answer.code === "FORBIDDEN") {
      // The user may be an admin no longer; without an answer the page stays as it is.
      reload().catch(() => undefined);
    }
    throw answer;
  }
  return answer;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} options
 */
async function send(method, path, { body, key, signal }) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  if (key !== undefined) {
    headers["Idempotency-Key"] = key;
  }
  if (method !== "GET" && csrfToken()) {
    headers["X-CSRF-Token"] = csrfToken();
  }
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), TIMEOUT);
  const cancel = () => timer.abort();
  signal?.addEventListener("abort", cancel);
  try {
    const response = await fetch(`/api${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      signal: timer.signal,
    });
    return await read(path, response);
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    return timer.signal.aborted
      ? new ApiError("TIMEOUT", "The service did not answer in time.")
      : new ApiError("OFFLINE", "The service cannot be reached.");
  } finally {
    clearTimeout(timeout);
    signal?.removeEventListener("abort", cancel);
  }
}

/**
 * @param {string} path
 * @param {Response} response
 */
async function read(path, response) {
  noteBudget(path.split("?")[0] ?? path, response.headers);
  if (response.status === 204) {
    return { data: undefined };
  }
  const text = await response.text();
  let envelope;
  try {
    envelope = JSON.parse(text);
  } catch {
    envelope = null;
  }
  if (response.ok && envelope?.success === true && (envelope.data ?? null) !== null) {
    return { data: envelope.data, pagination: envelope.pagination };
  }
  const { code, message, details } = envelope?.error ?? {};
  return new ApiError(
    typeof code === "string" ? code : "INTERNAL_ERROR",
    typeof message === "string" ? message : "The service gave an answer that is not understood.",
    {
      // A success that is not understood, such as a network's sign-in page, leaves open whether the call had an effect.
      status: response.ok ? 0 : response.status,
      details,
      retryAfter: Number.parseInt(response.headers.get("Retry-After") ?? "", 10) || 0,
    },
  );
}

/**
 * @param {string} path
 * @param {Headers} headers
 */
function noteBudget(path, headers) {
  const remaining = Number.parseInt(headers.get("X-RateLimit-Remaining") ?? "", 10);
  const resetAt = Number.parseInt(headers.get("X-RateLimit-Reset") ?? "", 10) * 1000;
  if (remaining <= SCARCE && !Number.isNaN(resetAt)) {
    budgets.set(path, { remaining, resetAt });
  } else {
    budgets.delete(path);
  }
}
