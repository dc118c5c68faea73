// All packages that the page runs, as one module: one request instead of seven.
import htm from "htm";
import { h } from "preact";

export { Fragment, createContext, createRef, h, render } from "preact";
export * from "preact/hooks";
export {
  batch,
  computed,
  effect,
  signal,
  untracked,
  useComputed,
  useSignal,
  useSignalEffect,
} from "@preact/signals";
export { compile } from "./messages.js";
export const html = htm.bind(h);
