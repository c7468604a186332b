import { HoldfastError } from "../core/error.ts";

/** The result of one check: a line for people and, if something is wrong, how to fix it. Nothing secret or personal. */
export interface Finding {
  /** The check: `secrets`, `bucket`, … */
  readonly check: string;
  readonly level: Level;
  readonly text: string;
  readonly hint?: string;
}

/** Unknown could not be checked. A warning works but is risky. With a failure a run fails, or Holdfast cannot keep its promises. */
export type Level = "ok" | "unknown" | "warning" | "failure";

/** Makes the findings of one check. */
export function findings(check: string) {
  return {
    ok: (text: string): Finding => ({ check, level: "ok", text }),
    unknown: (text: string): Finding => ({ check, level: "unknown", text }),
    warning: (text: string, hint: string): Finding => ({ check, level: "warning", text, hint }),
    failure: (text: string, hint = "Check the log of the other side."): Finding => ({
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

/** Turns the error that ended a check into a finding. Unexpected errors are thrown again. */
export function failed(check: string, error: unknown): Finding {
  if (!(error instanceof HoldfastError) || error.code === "interrupted") throw error;
  return findings(check).failure(error.message, error.hint);
}
