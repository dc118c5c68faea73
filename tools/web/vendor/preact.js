// The whole framework as one module: one request instead of six.
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
export const html = htm.bind(h);
