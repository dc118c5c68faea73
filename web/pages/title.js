import { Ask } from "../components/ask.js";
import { Failure } from "../components/failure.js";
import { Heading } from "../components/frame.js";
import { Icon } from "../components/icon.js";
import { Poster } from "../components/poster.js";
import { t } from "../i18n.js";
import { hasPrevious, useScroll } from "../router.js";
import { useLoad } from "../state/load.js";
import { html, useState } from "../vendor/modules.js";

/** @typedef {import("../api.js").Schemas["TitleDetails"]} TitleDetails */

/**
 * /movie/:id and /tv/:id: facts, and the request.
 *
 * @param {{mediaType: "movie" | "tv", tmdbId: string}} props
 */
export function TitlePage({ mediaType, tmdbId }) {
  const { data, error, retry } = useLoad(`/media/${mediaType}/${tmdbId}`);
  const details = /** @type {TitleDetails | undefined} */ (data);
  useScroll(details !== undefined);
  if (!details) {
    return error
      ? html`<${Back} /><${Heading} hidden>${t(`type.${mediaType}`)}<//><${Failure} error=${error} retry=${retry} />`
      : html`<${Skeleton} mediaType=${mediaType} />`;
  }
  return html`
    <${Backdrop} key=${details.backdropPath ?? ""} path=${details.backdropPath} />
    <div class="title">
      <div class="poster-cell"><${Poster} path=${details.posterPath} title=${details.title} mediaType=${mediaType} sizes="(min-width: 64em) 15rem, 7.5rem" eager /></div>
      <div class="top">
        <${Back} />
        <${Heading}>${details.title}<//>
        <p class="facts">${facts(details)}</p>
        ${details.genres?.length ? html`<p class="chips">${details.genres.map((genre) => html`<span class="chip" key=${genre}>${genre}</span>`)}</p>` : null}
      </div>
      <div class="body">
        <p class="overview">${details.overview ?? html`<span class="muted">${t("title.noOverview")}</span>`}</p>
        <${Ask} key=${`${mediaType}/${tmdbId}`} details=${details} reload=${retry} />
      </div>
    </div>`;
}

/** @param {TitleDetails} details */
function facts({ mediaType, year, runtime, seasons }) {
  const count = seasons?.filter((season) => season.number > 0).length ?? 0;
  return [
    t(`type.${mediaType}`),
    year === undefined ? t("year.unknown") : String(year),
    runtime ? t("title.runtime", { hours: Math.floor(runtime / 60), minutes: runtime % 60 }) : "",
    count ? t("title.seasons", { count }) : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** @param {{path?: string | undefined}} props */
function Backdrop({ path }) {
  const [loaded, setLoaded] = useState(false);
  return html`
    <div class="backdrop" aria-hidden="true">
      ${path
        ? html`<img class=${loaded ? "in" : ""} src=${`/images/t/p/w1280${path}`} srcset=${`/images/t/p/w780${path} 780w, /images/t/p/w1280${path} 1280w`}
            sizes="100vw" alt="" width="1280" height="720" decoding="async" onLoad=${() => setLoaded(true)} onError=${() => setLoaded(false)} />`
        : null}
    </div>`;
}

function Back() {
  /** @param {MouseEvent} event */
  const back = (event) => {
    if (hasPrevious()) {
      event.preventDefault();
      history.back();
    }
  };
  return html`<a class="back" href="/" onClick=${back}><${Icon} name="chevron-left" />${t("nav.back")}</a>`;
}

/** @param {{mediaType: "movie" | "tv"}} props */
function Skeleton({ mediaType }) {
  return html`
    <${Backdrop} />
    <div class="title" aria-busy="true">
      <div class="poster-cell"><span class="poster skel"></span></div>
      <div class="top"><${Back} /><${Heading} hidden>${t(`type.${mediaType}`)}<//><p class="card" aria-hidden="true"><span class="line skel"></span><span class="line skel"></span></p></div>
      <div class="body card" aria-hidden="true"><span class="line skel"></span><span class="line skel"></span></div>
    </div>`;
}

