/**
 * Make and cancel requests.
 *
 * A request keeps its Idempotency-Key until the service has answered for certain, so that a repeat
 * after a lost answer makes no second request.
 */
import { asApiError, call } from "../api.js";
import { errorText, t } from "../i18n.js";
import { dropDraft, readDraft, writeDraft } from "./drafts.js";
import { forget } from "./load.js";
import { toast } from "../components/toasts.js";

/**
 * @typedef {import("../api.js").Schemas["CreatedRequest"]} CreatedRequest
 * @typedef {import("../api.js").Schemas["MediaRequest"]} MediaRequest
 * @typedef {{mediaType: "movie" | "tv", tmdbId: number, seasons?: number[], comment?: string}} Asked
 */

/**
 * Request a title; throws ApiError.
 *
 * @param {Asked} asked
 * @returns {Promise<CreatedRequest>}
 */
export async function request(asked) {
  const body = JSON.stringify(asked);
  const name = keyOf(asked);
  const draft = /** @type {{body: string, key: string} | null} */ (readDraft(name));
  // The service refuses a key that comes with another body.
  const key = draft?.body === body ? draft.key : newKey();
  writeDraft(name, { body, key });
  try {
    const { data } = await call("POST", "/media/request", { body: asked, key });
    dropDraft(name);
    forget();
    return /** @type {CreatedRequest} */ (data);
  } catch (caught) {
    const error = asApiError(caught);
    if (!error.isUncertain && error.code !== "JWT_INVALID" && error.code !== "RATE_LIMITED") {
      dropDraft(name);
    }
    throw error;
  }
}

/**
 * Cancel a pending request, and offer to ask again; throws ApiError.
 *
 * @param {MediaRequest} cancelled
 * @param {(again: CreatedRequest) => void} onAgain
 */
export async function cancel(cancelled, onAgain) {
  try {
    await call("DELETE", `/media/requests/${cancelled.id}`);
  } catch (caught) {
    if (asApiError(caught).code !== "NOT_FOUND") {
      throw caught;
    }
    // It is gone already: another tab or an admin has cancelled it.
  }
  forget();
  const { mediaType, tmdbId, seasons, comment, title } = cancelled;
  // Kept after a lost answer, it belongs to the request that is gone.
  dropDraft(keyOf(cancelled));
  const again = async () => {
    try {
      onAgain(await request({ mediaType, tmdbId, ...(seasons ? { seasons } : {}), ...(comment ? { comment } : {}) }));
      toast(t("ask.again.done", { title }));
    } catch (caught) {
      toast(t("ask.again.failed", { title, error: errorText(asApiError(caught)) }), { icon: "triangle-alert" });
    }
  };
  toast(t("ask.cancelled", { title }), { action: { label: t("ask.again"), run: () => void again() } });
}

/**
 * Return the name of the draft that has the key of a request.
 *
 * @param {{mediaType: string, tmdbId: number}} asked
 */
function keyOf({ mediaType, tmdbId }) {
  return `key:${mediaType}/${tmdbId}`;
}

/** Return a random key, in the form of a UUID; crypto.randomUUID needs Safari 15.4 and https. */
function newKey() {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

