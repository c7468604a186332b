import { printable } from "../core/printable.ts";
import { cut } from "./format.ts";

/**
 * Elements made in code: data become text, never markup, and no attribute that runs or loads takes them. What in a text
 * hides, reorders or breaks a line is written out.
 */
export type Child = Node | string | number | null | undefined | false;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | boolean | undefined>> = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (typeof value === "string") made.setAttribute(name, printable(value));
  }
  for (const child of children.flat() as Child[]) {
    if (child !== null && child !== undefined && child !== false) {
      made.append(child instanceof Node ? child : printable(String(child)));
    }
  }
  return made;
}

/** Words from outside in a sentence of the page: set apart, in quotes, and no longer than they have to be. */
export function foreign(text: string, most = 120): HTMLElement {
  return element("bdi", { class: "foreign" }, `“${cut(text, most)}”`);
}

/** A sentence of the page; the values in it are words from outside. */
export function sentence(strings: TemplateStringsArray, ...values: readonly string[]): Child[] {
  return strings.flatMap((text, at) => (at < values.length ? [text, wordOf(values[at]!)] : [text]));
}

/** One plain word needs no quotes to be told from the page's own. */
function wordOf(text: string): HTMLElement {
  return /^[!#-~]{1,80}$/.test(text) ? element("bdi", {}, text) : foreign(text, MOST);
}

/** The longest that a retrieval's words are. */
const MOST = 2_000;

/** A value of a record, with its own line breaks, which are marked: they begin no row. */
export function shownValue(text: string): HTMLElement {
  const lines = text.split(/\r\n|\n|\r/);
  return element(
    "bdi",
    { class: "value" },
    lines.flatMap((line, at): Child[] =>
      at === 0 ? [line] : [element("span", { class: "break", title: "line break" }, "↵"), element("br"), line],
    ),
  );
}

/** One that the page is known to have. */
export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no #${id}`);
  return found as T;
}
