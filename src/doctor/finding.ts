import { HoldfastError } from "../core/error.ts";

/** What one check came to: a line for people, and how to fix it where something is to be fixed. Nothing secret, nothing personal. */
export interface Finding {
  /** What was looked at: `secrets`, `bucket`, … */
  readonly check: string;
  readonly level: Level;
  readonly text: string;
  readonly hint?: string;
}

/** A warning is unwise and works; with a failure a run fails, or does not keep what Holdfast promises. */
export type Level = "ok" | "warning" | "failure";

/** Findings of one check. */
export function findings(check: string) {
  return {
    ok: (text: string): Finding => ({ check, level: "ok", text }),
    warning: (text: string, hint: string): Finding => ({ check, level: "warning", text, hint }),
    failure: (text: string, hint = "See what the log of the other side says."): Finding => ({
      check,
      level: "failure",
      text,
      hint,
    }),
  };
}

export function count(all: readonly Finding[], level: Level): number {
  return all.filter((finding) => finding.level === level).length;
}

/** What kept a check from its end, as its finding. A defect stays one. */
export function failed(check: string, error: unknown): Finding {
  if (!(error instanceof HoldfastError) || error.code === "interrupted") throw error;
  return findings(check).failure(error.message, error.hint);
}
