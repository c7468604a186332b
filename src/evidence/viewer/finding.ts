/** What checking came to. `unsure`: it agrees, but with something that nobody vouched for. */
export type Verdict = "good" | "unsure" | "bad";

/** One thing that was checked, in words. */
export interface Check {
  readonly title: string;
  readonly verdict: Verdict;
  readonly words: string;
  /** On its badge, where it is another than the verdict's own. */
  readonly badge?: string | undefined;
}

/** What is wrong with one file. */
export interface Problem {
  readonly path: string;
  readonly words: string;
}

/** The words of an error for the person at the page. */
export function wordsOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  const mend = (error as { mend?: unknown }).mend;
  const sentence = /[.!?]$/.test(words) ? words : `${words}.`;
  return `${sentence[0]!.toUpperCase()}${sentence.slice(1)}${typeof mend === "string" ? ` ${mend}` : ""}`;
}
