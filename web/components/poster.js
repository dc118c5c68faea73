import { html, useState } from "../vendor/modules.js";
import { Icon } from "./icon.js";

/**
 * The poster of a title, or its name where there is none; the place has its size from the start.
 *
 * @param {{path?: string | undefined, title: string, mediaType: "movie" | "tv", sizes: string, eager?: boolean, children?: any}} props
 */
export function Poster({ path, title, mediaType, sizes, eager = false, children }) {
  const [state, setState] = useState("loading");
  const shown = path && state !== "broken";
  return html`
    <span class="poster">
      ${shown
        ? html`<img class=${state === "loaded" ? "in" : ""} src=${`/images/t/p/w342${path}`} sizes=${sizes}
            srcset=${`/images/t/p/w185${path} 185w, /images/t/p/w342${path} 342w, /images/t/p/w500${path} 500w`}
            width="342" height="513" alt="" loading=${eager ? "eager" : "lazy"} decoding="async"
            onLoad=${() => setState("loaded")} onError=${() => setState("broken")} />`
        : html`<span class="none" aria-hidden="true"><${Icon} name=${mediaType === "tv" ? "tv" : "film"} />${title}</span>`}
      ${children}
    </span>`;
}
