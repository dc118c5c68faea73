// Types of modules.js, which tools/web/vendor/modules.js makes: those that the page needs.

export interface VNode {
  readonly type: unknown;
  readonly props: object;
  readonly key: unknown;
}
export type Child = VNode | ReadonlySignal<unknown> | string | number | bigint | boolean | null | undefined;
export type Children = Child | Children[];
export type Component<P = {}> = (props: P) => Children;

/** Create elements from a template; `<${Component} />` and `...${props}` work, and text is never markup. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
export function h(type: string | Component<any>, props?: object | null, ...children: Children[]): VNode;
export const Fragment: Component<{ children?: Children }>;
/** Render into an element, which must be empty: its children are kept. */
export function render(element: Children, parent: Element): void;

export interface Context<T> {
  Provider: Component<{ value: T; children?: Children }>;
  Consumer: Component<{ children: (value: T) => Children }>;
}
export function createContext<T>(value: T): Context<T>;
export interface Ref<T> {
  current: T | null;
}
export function createRef<T>(): Ref<T>;

export type Inputs = readonly unknown[];
export type Update<S> = S | ((previous: S) => S);
export function useState<S>(initial: S | (() => S)): [S, (value: Update<S>) => void];
export function useReducer<S, A>(reducer: (state: S, action: A) => S, initial: S): [S, (action: A) => void];
export function useEffect(effect: () => void | (() => void), inputs?: Inputs): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: Inputs): void;
export function useRef<T>(initial: T): { current: T };
export function useRef<T>(initial: null): Ref<T>;
export function useMemo<T>(make: () => T, inputs: Inputs | undefined): T;
export function useCallback<T extends (...values: any[]) => unknown>(callback: T, inputs: Inputs): T;
export function useContext<T>(context: Context<T>): T;
export function useImperativeHandle<T>(ref: Ref<T>, create: () => T, inputs?: Inputs): void;
export function useDebugValue<T>(value: T, formatter?: (value: T) => unknown): void;
export function useErrorBoundary(callback?: (error: unknown) => void): [unknown, () => void];
export function useId(): string;

export interface ReadonlySignal<T> {
  readonly value: T;
  /** Read the value without subscribing to it. */
  peek(): T;
  subscribe(callback: (value: T) => void): () => void;
}
export interface Signal<T> extends ReadonlySignal<T> {
  value: T;
}
export function signal<T>(initial: T): Signal<T>;
export function computed<T>(compute: () => T): ReadonlySignal<T>;
/** Run now and after each change of a signal that it read; the result ends it. */
export function effect(run: () => void | (() => void)): () => void;
export function batch<T>(run: () => T): T;
export function untracked<T>(run: () => T): T;
export function useSignal<T>(initial: T): Signal<T>;
export function useComputed<T>(compute: () => T): ReadonlySignal<T>;
export function useSignalEffect(run: () => void | (() => void)): void;

/**
 * Compile a message in ICU syntax; the result formats it, and throws when an argument is missing.
 *
 * The syntax has `{name}`, `{n, number}`, `{n, plural, =0 {…} one {…} other {# …}}` and `{kind, select, movie {…} other {…}}`.
 * A number is formatted for the locale. Any other value stays as it is, so that a value can be an element:
 * the parts are children for `html`, and `parts.join("")` is the text of a message with plain values.
 *
 * Throws when the syntax is wrong, and for any other format, style or offset.
 */
export function compile<T = string | number>(
  message: string,
  locale: string,
): (values?: Record<string, T | string | number>) => (T | string)[];
