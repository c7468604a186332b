import { HoldfastError, hasCode, isTransient } from "../core/error.ts";
import { errorFields } from "../observe/log.ts";
import type { Capture } from "./capture.ts";
import type { Run } from "./context.ts";
import type { Crew } from "./crew.ts";
import { doubtOf } from "./doubt.ts";
import { FATAL, IN_A_ROW, isOfSource, isProviderAnswering, mostInARow, mostWithProject, stageOf } from "./failures.ts";
import type { Candidate } from "./plan.ts";
import type { RunOptions } from "./run-options.ts";
import { originOf, settle } from "./settle.ts";
import type { Tally } from "./summary.ts";

/** Exports identities one by one, several at once. A failure is logged as the record's, or ends the run. */
export class IdentityExporter {
  readonly #run: Run;
  readonly #crew: Crew;
  readonly #tally: Tally;
  readonly #observer: RunOptions["observer"];
  readonly #onSettled: NonNullable<RunOptions["onSettled"]>;
  #failures = 0;
  #hasSucceeded = false;
  #fatal: unknown;
  /** The last failure in which the provider refused to show the record. */
  #refusal: unknown;
  /** If several records fail at once, one question about the project is enough. */
  #question: Promise<boolean> | undefined;

  constructor(run: Run, crew: Crew, tally: Tally, { observer, onSettled }: Pick<RunOptions, "observer" | "onSettled">) {
    this.#run = run;
    this.#crew = crew;
    this.#tally = tally;
    this.#observer = observer;
    this.#onSettled = onSettled ?? (() => {});
  }

  /** Whether no further identity is begun. */
  get isOver(): boolean {
    return Boolean(this.#fatal) || this.#run.signal.aborted;
  }

  /** Throws the failure that ended the run. */
  refuseFatal(): void {
    if (this.#fatal) throw this.#fatal;
    // The provider refused every one: the API key lacks a right.
    const isRefused = this.#refusal && !this.#hasSucceeded && this.#failures >= IN_A_ROW;
    if (isRefused && !this.#run.signal.aborted) throw this.#refusal;
  }

  /** Returns whether the identity is settled: done, or failed and logged. */
  async export(candidate: Candidate): Promise<boolean> {
    const { log } = this.#run;
    const { subject } = candidate;
    const begun = performance.now();
    const durationMs = () => Math.round(performance.now() - begun);
    let isCaptured = false;
    try {
      const capture = await this.#crew.capture(this.#run, candidate);
      const doubt = doubtOf(this.#run, candidate, capture);
      if (doubt) {
        // The next run must ask the provider again, and not read a worker's answer of today.
        await this.#crew.settled?.(candidate);
        throw doubt;
      }
      isCaptured = true;
      await this.#settle(candidate, capture);
      log.debug("record settled", { subject, outcome: capture.kind, durationMs: durationMs() });
      this.#failures = 0;
      this.#hasSucceeded = true;
      return true;
    } catch (error) {
      // An attempt that failed after the interruption was not retried, and says nothing about the record.
      if (hasCode(error, "interrupted") || (this.#run.signal.aborted && isTransient(error))) return false;
      this.#failures += 1;
      if (await this.#endsRun(error, isCaptured)) this.#end(error);
      else await this.#logFailure(candidate, error, durationMs());
      return !this.#fatal;
    }
  }

  async #settle(candidate: Candidate, capture: Capture): Promise<void> {
    const { inbox } = this.#run;
    if (isEarly(this.#run, candidate, capture)) {
      this.#tally.early += 1;
      inbox?.retry(candidate.subject);
    } else {
      await settle(this.#run, candidate, capture, this.#tally);
      inbox?.settle(candidate.subject);
    }
    await this.#crew.settled?.(candidate);
    this.#onSettled(candidate.id, capture.kind);
  }

  /** Before the capture ends, this record's data may be the cause. After it, the log or the catalog failed. */
  async #endsRun(error: unknown, isCaptured: boolean): Promise<boolean> {
    const isFatal = hasCode(error, ...FATAL) || (isCaptured && !hasCode(error, "log-rejected"));
    if (!isFatal && this.#failures < mostInARow(error)) return false;
    // The provider may fail for one record or for all. Its answer about the project shows which.
    const isOfRecord = isOfSource(error) && this.#failures < mostWithProject(error) && (await this.#isProviderThere());
    return !isOfRecord;
  }

  #isProviderThere(): Promise<boolean> {
    this.#question ??= isProviderAnswering(this.#run).finally(() => {
      this.#question = undefined;
    });
    return this.#question;
  }

  async #logFailure(candidate: Candidate, error: unknown, durationMs: number): Promise<void> {
    const { subject } = candidate;
    const code = error instanceof HoldfastError ? error.code : "internal";
    const stage = stageOf(code);
    this.#run.log.error("record failed", { subject, stage, durationMs, ...errorFields(error) });
    this.#observer?.failed(stage, code);
    this.#tally.failed += 1;
    this.#onSettled(candidate.id, code);
    this.#refusal = hasCode(error, "source-key", "source-denied") ? error : undefined;
    const origin = originOf(this.#run, candidate);
    await this.#run.ledger
      .log({ type: "record.failed", subject, stage, code, ...origin })
      .catch((failure) => this.#end(failure));
    this.#run.inbox?.retry(subject);
  }

  #end(error: unknown): void {
    this.#fatal ??= error;
    this.#crew.stop?.();
  }
}

/**
 * The provider does not have someone whom a webhook named just now, and neither does the vault. A webhook may come before
 * the API knows the person, so the next run asks again.
 */
function isEarly(run: Run, { subject, way }: Candidate, capture: Capture): boolean {
  if (way !== "inbox" || capture.kind !== "gone" || run.catalog.subjects.known(subject) !== undefined) return false;
  return run.inbox?.isEarly(subject, run.now()) ?? false;
}
