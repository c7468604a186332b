import { HoldfastError } from "../core/error.ts";

/**
 * What checking came to. `unsure`: it agrees, but with something that no one vouched for. `unchecked`: it could not be
 * looked at here, which says nothing for it and nothing against it.
 */
export type Verdict = "good" | "unsure" | "unchecked" | "bad";

/** One thing that was checked, in words. */
export interface Check {
  readonly title: string;
  readonly verdict: Verdict;
  readonly words: string;
  /** On its badge, where it is another than the verdict's own. */
  readonly badge?: string | undefined;
}

/** What is wrong with one file, or why it was not checked. */
export interface FileProblem {
  readonly path: string;
  readonly words: string;
}

/** What a check gave; or that it failed, or that it could not be made. */
export type Tried<T> =
  | { readonly value: T; readonly failed: null; readonly words: null }
  | { readonly value: null; readonly failed: "bad" | "unchecked"; readonly words: string };

/** What is wrong in a bag, and what was not checked of it, by file. */
export class Findings {
  readonly #problems = new Map<string, FileProblem>();
  readonly #unchecked = new Map<string, FileProblem>();

  get problems(): readonly FileProblem[] {
    return [...this.#problems.values()];
  }

  get unchecked(): readonly FileProblem[] {
    return [...this.#unchecked.values()];
  }

  wrong(path: string, words: string): void {
    this.#problems.set(`${path}\n${words}`, { path, words });
  }

  notChecked(path: string, words: string): void {
    this.#unchecked.set(`${path}\n${words}`, { path, words });
  }

  /** Notes an error where it belongs, and says where that is. */
  note(path: string, error: unknown): "bad" | "unchecked" {
    const failed = blames(error) ? "bad" : "unchecked";
    if (failed === "bad") this.wrong(path, wordsOf(error));
    else this.notChecked(path, wordsOf(error));
    return failed;
  }

  async attempt<T>(path: string, check: () => T | Promise<T>): Promise<Tried<T>> {
    try {
      return { value: await check(), failed: null, words: null };
    } catch (error) {
      return { value: null, failed: this.note(path, error), words: wordsOf(error) };
    }
  }
}

/** Whether an error speaks against the bag. What could not be read does not, nor does a fault of the page or the browser. */
export function blames(error: unknown): boolean {
  return error instanceof HoldfastError && error.code !== "state";
}

/** The words of an error for the person at the page. */
export function wordsOf(error: unknown): string {
  const words = (error instanceof Error ? error.message || error.name : String(error)) || "unknown";
  const hint = (error as { hint?: unknown } | null)?.hint;
  const sentence = /[.!?]$/.test(words) ? words : `${words}.`;
  return `${sentence[0]!.toUpperCase()}${sentence.slice(1)}${typeof hint === "string" ? ` ${hint}` : ""}`;
}
