/**
 * Routing rules while an admin edits them: the whole list, with the ids that the edit began from.
 */
import { asApiError, call } from "../../api.js";
import { user } from "../session.js";
import { useEffect, useState } from "../../vendor/modules.js";

/**
 * @typedef {import("../../api.js").Schemas["Rule"]} Rule
 * @typedef {import("../../api.js").Schemas["Conditions"]} Conditions
 * @typedef {import("../../api.js").Schemas["HandoverOptions"]} Options
 * @typedef {{key: string, mediaType: "movie" | "tv", conditions: Conditions, serverId: string, options: Options}} Edited
 * @typedef {{seen: string[], rules: Edited[]}} Draft
 */

/**
 * @param {Rule[]} rules
 * @returns {Draft}
 */
export function draftOf(rules) {
  return {
    seen: rules.map(({ id }) => id),
    rules: rules.map(({ id, mediaType, conditions, serverId, options }) => ({ key: id, mediaType, conditions: /** @type {any} */ (conditions), serverId, options: /** @type {any} */ (options) })),
  };
}

/**
 * Save the list, unless another admin has changed it since `seen`: then it throws EDIT_CONFLICT.
 *
 * @param {Draft} draft
 * @returns {Promise<Rule[]>}
 */
export async function save({ seen, rules }) {
  const body = { rules: rules.map(({ mediaType, conditions, serverId, options }) => ({ mediaType, conditions, serverId, options })), expected: seen };
  const { data } = await call("PUT", "/admin/routing-rules", { body });
  return /** @type {Rule[]} */ (data);
}

/** @returns {Promise<Rule[]>} */
export async function readRules() {
  const { data } = await call("GET", "/admin/routing-rules");
  return /** @type {Rule[]} */ (data);
}

/** Names of users by their ids, as far as they were read. @type {Map<string, string>} */
const known = new Map();
user.subscribe(() => known.clear());

/** @param {{id: string, username: string}} person */
export function know({ id, username }) {
  known.set(id, username);
}

/**
 * Read the names of users; a deleted one has none.
 *
 * @param {string[]} ids
 * @returns {Map<string, string>}
 */
export function useUserNames(ids) {
  const [, setCount] = useState(0);
  const wanted = ids.filter((id) => !known.has(id)).sort().join();
  useEffect(() => {
    if (!wanted) {
      return;
    }
    for (const id of wanted.split(",")) {
      call("GET", `/admin/users/${id}`).then(
        ({ data }) => know(/** @type {{id: string, username: string}} */ (data)),
        (error) => {
          if (asApiError(error).code === "NOT_FOUND") {
            known.set(id, "");
          }
        },
      ).then(() => setCount((count) => count + 1));
    }
  }, [wanted]);
  return known;
}
