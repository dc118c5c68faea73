import { html, useState } from "../vendor/modules.js";
import { Icon } from "./icon.js";

/**
 * The poster of a title, or its name where there is none; the place has its size from the start.
 *
 * @param {{path?: string | undefined, title: string, mediaType: "movie" | "tv", sizes: string, eager?: boolean, children?: any}} props
 */
export function Poster({ path, title, mediaType, sizes, eager = false, children }) {
  const [broken, setBroken] = useState(false);
  return html`
    <span class="poster">
      ${path && !broken
        ? html`<img src=${`/images/t/p/w342${path}`} sizes=${sizes}
            srcset=${`/images/t/p/w185${path} 185w, /images/t/p/w342${path} 342w, /images/t/p/w500${path} 500w`}
            width="342" height="513" alt="" loading=${eager ? "eager" : "lazy"} decoding="async" onError=${() => setBroken(true)} />`
        : html`<span class="none" aria-hidden="true"><${Icon} name=${mediaType === "tv" ? "tv" : "film"} />${title}</span>`}
      ${children}
    </span>`;
}
