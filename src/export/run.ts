import { randomBytes } from "node:crypto";
import PQueue from "p-queue";
import type { RunOutcome } from "../audit/entry.ts";
import { type ErrorCode, HoldfastError, hasCode, isTransient } from "../error.ts";
import { errorFields } from "../observe/log.ts";
import type { Progress } from "../observe/progress.ts";
import type { Parts, Run } from "./context.ts";
import { exportIdentity, type IdentityOutcome, logGone } from "./identity.ts";
import { Ledger } from "./ledger.ts";
import { type Candidate, planNamed, planWalk, type Selection } from "./plan.ts";
import { noteRecipients } from "./recipients.ts";
import { emptyTally, type Summary, type Tally } from "./summary.ts";
import { timestamp } from "./time.ts";

export interface RunOptions {
  readonly job: string;
  /** Of Holdfast. */
  readonly version: string;
  /** Provider ids; undefined walks the whole source. */
  readonly identities?: readonly string[] | undefined;
  /** Which of those the walk meets. */
  readonly selection: Selection;
  readonly progress: Progress;
  readonly retries: () => number;
}

/** Walks in a row that must miss an identity before it is logged as gone. */
const MISSED = 2;
/** Failures in a row after which it is not the record that is at fault; fewer where each was retried for long. */
const IN_A_ROW = 20;
const OUTAGES_IN_A_ROW = 10;
/** Codes that every further record would meet too. */
const FATAL: readonly ErrorCode[] = [
  ...(["source-key", "vault-denied", "vault-missing", "vault-unfit", "state", "forked", "unverified"] as const),
  ...(["malformed", "busy", "internal"] as const),
];

/**
 * One run for one client: plan, fetch, seal, store, log. A record that fails is logged and the run goes on; what would
 * fail every record ends it. Whatever ends it, what was done is in the log. Throws what ended it early, except an
 * interruption, which the summary tells.
 */
export async function runExport(parts: Parts, options: RunOptions): Promise<Summary> {
  const begun = performance.now();
  const tally = emptyTally();
  const ledger = new Ledger(parts.writer, parts.catalog);
  const id = `${timestamp(parts.now()).replace(/[-:]|\.\d+/g, "")}-${randomBytes(3).toString("hex")}`;
  const log = parts.log.with({ run: id, job: options.job, client: parts.config.id });
  await ledger.log({
    type: "run.started",
    time: timestamp(parts.now()),
    run: id,
    job: options.job,
    holdfast: options.version,
  });
  log.info("run started");
  const finish = async (outcome: RunOutcome): Promise<Summary> => {
    const summary: Summary = {
      ...{ client: parts.config.id, run: id, outcome, ...tally },
      ...{ requests: parts.source.requests, retries: options.retries() },
      seconds: Math.round(performance.now() - begun) / 1000,
    };
    const { client: _, run: __, outcome: ___, seconds, ...counts } = summary;
    await ledger.log({ type: "run.finished", time: timestamp(parts.now()), run: id, outcome, counts });
    await parts.writer.flush();
    options.progress.end();
    log.info("run finished", { outcome, counts, durationMs: Math.round(seconds * 1000) });
    return summary;
  };
  try {
    await noteRecipients(parts, ledger, id);
    const project = await parts.source.project();
    const vaultQueue = new PQueue({ concurrency: parts.config.vault.concurrency });
    await exportAll({ ...parts, log, id, project, ledger, vaultQueue }, tally, options);
    return await finish(parts.signal.aborted ? "interrupted" : tally.failed > 0 ? "partial" : "done");
  } catch (error) {
    options.progress.end();
    if (hasCode(error, "interrupted") || (parts.signal.aborted && isTransient(error))) return finish("interrupted");
    log.error("run failed", errorFields(error));
    await finish("failed").catch(() => {});
    throw error;
  }
}

async function exportAll(run: Run, tally: Tally, { identities, selection, progress }: RunOptions): Promise<void> {
  const underWay = new Set<string>();
  /** Of the subjects asked for. */
  const met = new Set<string>();
  const inFlight = Math.max(run.config.source.concurrency, 2) * 2;
  const work = new PQueue({ concurrency: inFlight });
  const expected = run.catalog.counts().subjects;
  let failures = 0;
  let fatal: unknown;

  const show = (): void => {
    const done = tally.unchanged + tally.new + tally.changed + tally.again + tally.gone + tally.failed;
    progress.update(
      done,
      identities?.length ?? (expected > 0 ? Math.max(expected, tally.examined) : undefined),
      brief(tally),
    );
  };
  const exportOne = async (candidate: Candidate): Promise<void> => {
    // It was waiting when the run came to its end.
    if (fatal || run.signal.aborted) return;
    try {
      count(tally, await withSecondAttempt(() => exportIdentity(run, candidate)));
      failures = 0;
    } catch (error) {
      // An attempt that failed after the interruption was not tried again, and says nothing of the record.
      if (hasCode(error, "interrupted") || (run.signal.aborted && isTransient(error))) return;
      failures += 1;
      const most = isTransient(error) ? OUTAGES_IN_A_ROW : IN_A_ROW;
      if (hasCode(error, ...FATAL) || !(error instanceof HoldfastError) || failures >= most) fatal ??= error;
      else await fail(run, candidate, error, tally).catch((logging: unknown) => (fatal ??= logging));
    } finally {
      underWay.delete(candidate.subject);
      show();
    }
  };

  let whole = identities === undefined;
  const onUnreadable = (count: number): void => {
    whole = false;
    tally.failed += count;
    run.log.error("identities in the provider's list cannot be read: no id or no time", { stage: "source", count });
  };
  const plan = identities ? planNamed(identities, run, tally) : planWalk(run, selection, tally, onUnreadable);
  try {
    for await (const candidate of plan) {
      if (run.signal.aborted || fatal) break;
      // The same identity twice in one walk: pages shifted while they were read.
      if (underWay.has(candidate.subject)) continue;
      underWay.add(candidate.subject);
      if (selection.kind === "subjects") met.add(candidate.subject);
      void work.add(() => exportOne(candidate));
      show();
      await work.onSizeLessThan(inFlight);
    }
  } finally {
    if (fatal || run.signal.aborted) work.clear();
    await work.onIdle();
  }
  if (fatal) throw fatal;
  if (selection.kind === "subjects" && !run.signal.aborted) missingSubjects(run, selection.subjects, met, tally);
  // A walk that did not see everybody says nothing of whom it missed.
  if (!whole || run.signal.aborted) return;
  for (const { subject } of run.catalog.endWalk(MISSED)) {
    await logGone(run, subject, "unlisted");
    tally.gone += 1;
  }
}

/** Who was asked for and is not at the provider cannot be stored anew: said, and counted as failed. */
function missingSubjects(run: Run, wanted: ReadonlySet<string>, met: ReadonlySet<string>, tally: Tally): void {
  for (const subject of wanted.difference(met)) {
    tally.failed += 1;
    run.log.error("the provider lists nobody of this subject", { subject, stage: "source", code: "source-missing" });
  }
}

/** A broken answer may have been a passing fault: one more attempt at the whole record. The rest has been retried. */
async function withSecondAttempt(work: () => Promise<IdentityOutcome>): Promise<IdentityOutcome> {
  try {
    return await work();
  } catch (error) {
    if (!hasCode(error, "source-response")) throw error;
    return work();
  }
}

async function fail(run: Run, { subject }: Candidate, error: HoldfastError, tally: Tally): Promise<void> {
  tally.failed += 1;
  const stage = error.code.split("-")[0]!;
  run.log.error("record failed", { subject, stage, ...errorFields(error) });
  const entry = { type: "record.failed", time: timestamp(run.now()), run: run.id, subject, stage, code: error.code };
  await run.ledger.log(entry as typeof entry & { type: "record.failed" });
}

function count(tally: Tally, outcome: IdentityOutcome): void {
  tally[outcome.kind] += 1;
  if (outcome.kind === "unchanged" || outcome.kind === "gone") return;
  tally.files += outcome.files;
  tally.withheld += outcome.withheld;
  tally.bytes += outcome.bytes;
}

function brief({ new: fresh, changed, failed }: Tally): string {
  return `${fresh} new, ${changed} changed${failed > 0 ? `, ${failed} failed` : ""}`;
}
