import { HoldfastError } from "../core/error.ts";
import type { Capture } from "../export/capture.ts";
import type { Exporting } from "../export/context.ts";
import type { Candidate } from "../export/plan.ts";
import { Checker } from "./checker.ts";
import { isStale, refuseUnfit } from "./result.ts";
import { type BackfillTerms, firstDifference, type Messages, type Task } from "./task.ts";

/** `outdated`: too old, or made with another config. Another attempt may do better; this error is for the last. */
export type Judged =
  | { readonly capture: Capture }
  | { readonly error: HoldfastError }
  | { readonly outdated: HoldfastError };

/** Judges what workers answer: the coordinator logs an answer only if it fits what was asked. */
export class ResultJudge {
  readonly #exporting: Exporting;
  readonly #messages: Messages;
  readonly #terms: BackfillTerms;
  readonly #checker: Checker;

  constructor(exporting: Exporting, messages: Messages, terms: BackfillTerms) {
    this.#exporting = exporting;
    this.#messages = messages;
    this.#terms = terms;
    this.#checker = new Checker(exporting);
  }

  /** A job's outcome only affects its own identity: it must not end the run or block others. */
  async judge(
    id: string,
    { candidate, task }: { readonly candidate: Candidate; readonly task: Task },
    failed: string | null,
    returned: string | null,
  ): Promise<Judged> {
    // Several workers in a row died during this job.
    if (failed) {
      const what = "every worker that got this identity crashed or could not read its task";
      return { error: new HoldfastError("internal", what, { hint: "Check the workers' logs." }) };
    }
    const asked = { candidate, kept: task.kept, config: this.#exporting.config, now: this.#exporting.now() };
    try {
      const result = this.#messages.openResult(id, unquoted(returned));
      const differs = firstDifference(this.#terms, result.terms);
      if (!differs && "failure" in result) {
        const { code, message, hint } = result.failure;
        return { error: new HoldfastError(code, message, { hint }) };
      }
      if (!differs && "capture" in result) {
        refuseUnfit(result.capture, asked);
        if (!isStale(result.capture, asked)) {
          await this.#checker.check(result.capture);
          return result;
        }
      }
      return { outdated: this.#outdated(differs) };
    } catch (error) {
      if (error instanceof HoldfastError) return { error };
      return { error: new HoldfastError("malformed", "a worker's result is invalid", { cause: error }) };
    }
  }

  #outdated(differs: string | undefined): HoldfastError {
    // Do not repeat a field name that only the worker has.
    const field = differs && (differs in this.#terms ? differs : "a field that this config does not have");
    const what = field ? `a worker's config differs in ${field}` : "a worker's result is more than a day old";
    return new HoldfastError("malformed", what, {
      hint: "Give the coordinator and all workers the same config and the right time.",
    });
  }
}

/** Parses a job's return value as BullMQ writes it. */
function unquoted(returned: string | null): unknown {
  try {
    return JSON.parse(returned ?? "null");
  } catch {
    return null;
  }
}
