import type { Entry, RunOutcome } from "../audit/entry.ts";
import { hasCode, isTransient } from "../core/error.ts";
import { runId } from "../core/run-id.ts";
import { Ledger } from "../held/ledger.ts";
import { errorFields } from "../observe/log.ts";
import { sampled } from "../observe/log-sampling.ts";
import { policyChange } from "../retention/policy.ts";
import type { WaitingDrops } from "../source/source.ts";
import type { Exporting, Run } from "./context.ts";
import { isAsked } from "./crew.ts";
import { exportAll, type Round } from "./export-all.ts";
import { Gaps } from "./gaps.ts";
import { noteRecipients } from "./recipients.ts";
import { asksInbox, type RunOptions } from "./run-options.ts";
import { noteProject } from "./source-project.ts";
import { emptyTally, type Summary } from "./summary.ts";

/**
 * One run for one client: plan, fetch, seal, store, log. A failed record is logged and the run continues; an error that
 * would fail every record ends the run. The log has everything that was done, however the run ends. Throws the error
 * that ended it early, except an interruption, which the summary reports.
 */
export async function runExport(exporting: Exporting, options: RunOptions): Promise<Summary> {
  const { config, catalog, source, sourceConfig, signal, now } = exporting;
  const begun = performance.now();
  const tally = emptyTally();
  const id = options.run ?? runId(now());
  const gaps = new Gaps();
  const ledger = new Ledger({ ...exporting, run: id });
  const log = sampled(exporting.log.with({ run: id, job: options.job, client: config.id }));
  const started = now();
  const run = { type: "run.started", job: options.job, holdfast: options.version, source: sourceConfig.name } as const;
  await ledger.log(run, started);
  log.info("run started");
  // Other runs do not ask about people whom webhooks named.
  const inboxUnread = exporting.inboxError !== undefined && asksInbox(options);
  const finish = async (outcome: RunOutcome, round: Round = {}): Promise<Summary> => {
    if (source.waiting) {
      tally.waiting = source.waiting.count;
      tally.stalled = source.waiting.stalled;
      tellWaiting(log, source.waiting);
    }
    const summary: Omit<Summary, "budget" | "inboxUnread"> = {
      client: config.id,
      source: sourceConfig.name,
      run: id,
      outcome,
      ...tally,
      // What a folder reads is no request to anyone.
      requests: isAsked(sourceConfig) ? source.requests + (options.crew?.requests ?? 0) : 0,
      retries: exporting.retries(),
      seconds: Math.round(performance.now() - begun) / 1000,
    };
    const { client: _, source: __, run: ___, outcome: ____, seconds, ...counts } = summary;
    const { budget } = source.limits;
    await ledger.log({ type: "run.finished", outcome, counts, ...round, ...inboxOf(exporting) });
    await ledger.flush();
    options.progress.end();
    options.observer?.counted(tally);
    gaps.tell(log);
    log.summarize();
    log.info("run finished", { outcome, counts, durationMs: Math.round(seconds * 1000) });
    return { ...summary, ...(inboxUnread ? { inboxUnread } : {}), ...(budget ? { budget } : {}) };
  };
  try {
    await noteRecipients(exporting, ledger);
    // It determines the first locks.
    const change = policyChange(catalog, config);
    if (change) await ledger.log(change);
    const project = await noteProject(exporting, ledger, log);
    const round = await exportAll({ ...exporting, log, id, started, project, ledger, gaps }, tally, options);
    const isPartial = tally.failed > 0 || inboxUnread;
    return await finish(signal.aborted ? "interrupted" : isPartial ? "partial" : "done", round);
  } catch (error) {
    options.progress.end();
    if (hasCode(error, "interrupted") || (signal.aborted && isTransient(error))) return finish("interrupted");
    log.error("run failed", errorFields(error));
    await finish("failed").catch(() => {});
    throw error;
  }
}

/** A drop that arrives is usual; one that has been arriving for days is not. */
function tellWaiting(log: Run["log"], { count, stalled }: WaitingDrops): void {
  if (stalled > 0)
    log.warn("drops that began more than three days ago are not complete, and not taken", { count: stalled });
  else if (count > 0) log.info("drops that are not complete yet are not taken", { count });
}

/** How much of the inbox was read, for the log. Nothing if webhooks are not received. */
function inboxOf({ inbox, log }: Exporting): Pick<Extract<Entry, { type: "run.finished" }>, "inbox"> {
  try {
    return inbox ? { inbox: inbox.tally() } : {};
  } catch (error) {
    log.warn("cannot read how many webhooks wait", errorFields(error));
    return {};
  }
}
