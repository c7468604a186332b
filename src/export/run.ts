import PQueue from "p-queue";
import type { Entry, RunOutcome } from "../audit/entry.ts";
import { activeSources } from "../config/sources.ts";
import { type ErrorCode, HoldfastError, hasCode, isTransient } from "../core/error.ts";
import { runId } from "../core/run-id.ts";
import { Ledger } from "../held/ledger.ts";
import { plural } from "../observe/format.ts";
import { errorFields } from "../observe/log.ts";
import { sampled } from "../observe/log-sampling.ts";
import type { Progress } from "../observe/progress.ts";
import { policyChange } from "../retention/policy.ts";
import { limitsText } from "../source/rate/limits.ts";
import type { Page, Waiting } from "../source/source.ts";
import { type Capture, captureIdentity, gone } from "./capture.ts";
import type { Exporting, Run } from "./context.ts";
import { doubtOf } from "./doubt.ts";
import { answers, FATAL, IN_A_ROW, isOfSource, mostInARow, mostWithProject, stageOf } from "./failures.ts";
import { Feed } from "./feed.ts";
import { Gaps } from "./gaps.ts";
import { keptIn } from "./kept.ts";
import { PageOrder } from "./page-order.ts";
import {
  type Candidate,
  planIds,
  planInbox,
  planNamed,
  planSubjects,
  planWalk,
  planWithheld,
  type Selection,
} from "./plan.ts";
import { noteRecipients } from "./recipients.ts";
import { originOf, settle } from "./settle.ts";
import { ASKED, emptyTally, type Summary, type Tally } from "./summary.ts";

export interface RunOptions {
  readonly job: string;
  /** The run's id, if it already has one. */
  readonly run?: string | undefined;
  /** Holdfast's version. */
  readonly version: string;
  /** Provider ids. Undefined: everyone whom the feed or the walk names. */
  readonly identities?: readonly string[] | undefined;
  /** Which identities of the walk to export. */
  readonly selection: Selection;
  /** A partial walk that reports its position. Default: the whole source, from the beginning. */
  readonly walk?: Walk | undefined;
  /** Brings identities into the vault, several at once. Default: this process. */
  readonly crew?: Crew | undefined;
  readonly progress: Progress;
  readonly observer?: RunObserver | undefined;
  /** Called when an identity is settled: what came of it, or the code of its failure. */
  readonly onSettled?: ((id: string, outcome: Capture["kind"] | ErrorCode) => void) | undefined;
}

/** Receives updates during a run, for metrics. */
export interface RunObserver {
  /** The current counts. Called often. */
  counted(tally: Tally): void;
  failed(stage: string, code: ErrorCode): void;
  /** The latest change on a page of the provider's list, RFC 3339 UTC. */
  listed(updated: string): void;
}

/** A partial walk: it resumes after a page of an earlier run, or skips identities. */
export interface Walk {
  /** Default: the source's list, from the beginning. */
  readonly pages?: AsyncIterable<Page>;
  /** Identities that earlier runs examined, and the total. */
  readonly before: number;
  readonly total: number | undefined;
  /** Everyone listed up to this cursor is settled; null at the end. */
  settled(cursor: string | null, examined: number): void;
}

export interface Crew {
  readonly size: number;
  capture(run: Run, candidate: Candidate): Promise<Capture>;
  /** The run is ending: start no further identity. `capture` throws `interrupted`. */
  stop?(): void;
  /** The outcome is in the log: done or failed. */
  settled?(candidate: Candidate): Promise<void>;
  /** Requests to the source that other processes sent. */
  readonly requests: number;
  /** Text shown next to the progress bar. */
  readonly note: string;
}

/** An identity is logged as gone after this many walks in a row without it. */
const MISSED = 2;

/**
 * One run for one client: plan, fetch, seal, store, log. A failed record is logged and the run continues; an error that
 * would fail every record ends the run. The log has everything that was done, however the run ends. Throws the error
 * that ended it early, except an interruption, which the summary reports.
 */
export async function runExport(exporting: Exporting, options: RunOptions): Promise<Summary> {
  const { config, catalog, source, sourceConfig, tokens, signal, now } = exporting;
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
  const finish = async (outcome: RunOutcome, round: Round = {}): Promise<Summary> => {
    if (source.waiting) {
      tally.waiting = source.waiting.count;
      tally.stalled = source.waiting.stalled;
      tellWaiting(log, source.waiting);
    }
    const summary: Omit<Summary, "budget"> = {
      client: config.id,
      source: sourceConfig.name,
      run: id,
      outcome,
      ...tally,
      requests: source.requests + (options.crew?.requests ?? 0),
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
    return budget ? { ...summary, budget } : summary;
  };
  try {
    await noteRecipients(exporting, ledger);
    // It determines the first locks.
    const change = policyChange(catalog, config);
    if (change) await ledger.log(change);
    const { id: project } = await source.project();
    const known = catalog.sources.known(sourceConfig.name);
    const found = { kind: source.kind, project: tokens.project(source.kind, project) };
    refuseTwin(exporting, found);
    if (known?.kind !== found.kind || known.project !== found.project) {
      if (known)
        log.warn("the source now answers for another project of its provider; whom it does not list is not gone", {
          source: sourceConfig.name,
        });
      await ledger.log({ type: "source.changed", source: sourceConfig.name, ...found });
    }
    const round = await exportAll({ ...exporting, log, id, started, project, ledger, gaps }, tally, options);
    return await finish(signal.aborted ? "interrupted" : tally.failed > 0 ? "partial" : "done", round);
  } catch (error) {
    options.progress.end();
    if (hasCode(error, "interrupted") || (signal.aborted && isTransient(error))) return finish("interrupted");
    log.error("run failed", errorFields(error));
    await finish("failed").catch(() => {});
    throw error;
  }
}

/** A drop that arrives is usual; one that has been arriving for days is not. */
function tellWaiting(log: Run["log"], { count, stalled }: Waiting): void {
  if (stalled > 0)
    log.warn("drops that began more than three days ago are not complete, and not taken", { count: stalled });
  else if (count > 0) log.info("drops that are not complete yet are not taken", { count });
}

/**
 * People belong to a project: of two sources with one project, each would take the other's people for gone. Onfido and
 * Sumsub name no account, so two accounts of one region look like one project.
 * @throws HoldfastError "config"
 */
function refuseTwin({ config, sourceConfig, catalog }: Exporting, found: { kind: string; project: string }): void {
  const twin = activeSources(config).find(({ name }) => {
    const other = name === sourceConfig.name ? undefined : catalog.sources.known(name);
    return other?.kind === found.kind && other.project === found.project;
  });
  if (!twin) return;
  throw new HoldfastError(
    "config",
    `the sources ${twin.name} and ${sourceConfig.name} are of one project of their provider`,
    {
      hint: "Remove one of them. If they are two accounts that the provider does not tell apart, give each a client of its own, with its own vault.",
    },
  );
}

/** What a run's end says in the log, if it looked at everyone it had to, and if it walked the whole list. */
type Round = Pick<Extract<Entry, { type: "run.finished" }>, "round" | "walked">;

async function exportAll(run: Run, tally: Tally, options: RunOptions): Promise<Round> {
  const { identities, selection, progress, walk, crew = own(run), observer, onSettled = () => {} } = options;
  using feed =
    identities === undefined && walk === undefined && selection.kind === "changed"
      ? new Feed(run, run.started)
      : undefined;
  const wanted = selection.kind === "subjects" ? ownSubjects(run, selection.subjects) : new Set<string>();
  const underWay = new Set<string>();
  /** Of the requested subjects. */
  const met = new Set<string>();
  const work = new PQueue({ concurrency: crew.size });
  // An estimate: the number of the last walk.
  const expected = { about: run.catalog.totals.counts().subjects };
  let failures = 0;
  let hasSucceeded = false;
  let fatal: unknown;
  /** The last failure in which the provider refused to show the record. */
  let refusal: unknown;
  /** If several records fail at once, one question about the project is enough. */
  let question: Promise<boolean> | undefined;
  const isProviderThere = (): Promise<boolean> => {
    question ??= answers(run).finally(() => {
      question = undefined;
    });
    return question;
  };
  const end = (error: unknown): void => {
    fatal ??= error;
    crew.stop?.();
  };

  const show = (): void => {
    const done =
      tally.unchanged +
      tally.past +
      tally.new +
      tally.changed +
      tally.again +
      tally.gone +
      tally.notFound +
      tally.early +
      tally.failed;
    const { before, total } = walk ?? { before: 0, total: feed?.walks === false ? undefined : expected };
    progress.update(before + done, identities?.length ?? total, note(tally, run.retries(), crew));
    observer?.counted(tally);
  };
  /** Whether the identity is settled: done, or failed and logged. */
  const exportOne = async (candidate: Candidate): Promise<boolean> => {
    // It was waiting when the run ended.
    if (fatal || run.signal.aborted) return false;
    const begun = performance.now();
    const durationMs = () => Math.round(performance.now() - begun);
    const { subject } = candidate;
    let isCaptured = false;
    try {
      const capture = await crew.capture(run, candidate);
      const doubt = doubtOf(run, candidate, capture);
      if (doubt) {
        // The next run must ask the provider again, and not read a worker's answer of today.
        await crew.settled?.(candidate);
        throw doubt;
      }
      isCaptured = true;
      if (isEarly(run, candidate, capture)) {
        tally.early += 1;
        run.inbox?.retry(subject);
      } else {
        await settle(run, candidate, capture, tally);
        run.inbox?.settle(subject);
      }
      await crew.settled?.(candidate);
      onSettled(candidate.id, capture.kind);
      run.log.debug("record settled", { subject, outcome: capture.kind, durationMs: durationMs() });
      failures = 0;
      hasSucceeded = true;
      return true;
    } catch (error) {
      // Before the capture ends, this record's data may be the cause. After it, the log or the catalog failed.
      // An attempt that failed after the interruption was not retried, and says nothing about the record.
      if (hasCode(error, "interrupted") || (run.signal.aborted && isTransient(error))) return false;
      failures += 1;
      const isFatal = hasCode(error, ...FATAL) || (isCaptured && !hasCode(error, "log-rejected"));
      const isOver = isFatal || failures >= mostInARow(error);
      // The provider may fail for one record or for all. Its answer about the project shows which.
      const isTheirs = isOver && isOfSource(error) && failures < mostWithProject(error) && (await isProviderThere());
      if (isOver && !isTheirs) end(error);
      else {
        const code = error instanceof HoldfastError ? error.code : "internal";
        const stage = stageOf(code);
        run.log.error("record failed", { subject, stage, durationMs: durationMs(), ...errorFields(error) });
        observer?.failed(stage, code);
        tally.failed += 1;
        onSettled(candidate.id, code);
        refusal = hasCode(error, "source-key", "source-denied") ? error : undefined;
        await run.ledger.log({ type: "record.failed", subject, stage, code, ...originOf(run, candidate) }).catch(end);
        run.inbox?.retry(subject);
      }
      return !fatal;
    } finally {
      underWay.delete(candidate.subject);
      show();
    }
  };

  const onUnreadable = (count: number): void => {
    tally.failed += count;
    const what =
      selection.kind === "ids"
        ? "lines of the given list are not ids"
        : "entries of the source's list cannot be read, or have no readable id";
    const hint = "For a source of kind folder, `holdfast folder check` says where each is, and why.";
    run.log.error(what, { stage: "source", count, ...(selection.kind === "ids" ? {} : { hint }) });
  };
  const onPast = (subject: string): void => {
    if (!wanted.has(subject)) return;
    met.add(subject);
    run.log.warn("not exported again: this subject is past the retention date", { subject });
  };
  const order = new PageOrder((cursor) => walk?.settled(cursor, walk.before + tally.examined));
  if (feed) run.catalog.walk.begin();
  const listed = observer ? noting(walk?.pages ?? run.source.pages(), observer) : (walk?.pages ?? run.source.pages());
  const onChange = (at: string): void => observer?.listed(at);
  const plan = identities
    ? planNamed(identities, run, tally)
    : feed
      ? feed.candidates(listed, tally, onUnreadable, onChange)
      : selection.kind === "subjects"
        ? planSubjects(run, listed, wanted, tally, onUnreadable, onPast)
        : selection.kind === "inbox"
          ? planInbox(run, tally)
          : selection.kind === "ids"
            ? planIds(run, selection.pages, tally, onUnreadable)
            : selection.kind === "withheld" && !run.source.can.list
              ? planWithheld(run, tally)
              : planWalk(run, listed, selection, tally, onUnreadable, onPast);
  try {
    for await (const { candidates, cursor } of plan) {
      if (run.signal.aborted || fatal) break;
      const settled = order.begin(cursor, candidates.length);
      show();
      for (const candidate of candidates) {
        if (run.signal.aborted || fatal) break;
        if (underWay.has(candidate.subject)) {
          // The same identity twice in one walk: pages shifted during the walk.
          settled();
          continue;
        }
        underWay.add(candidate.subject);
        if (selection.kind === "subjects") met.add(candidate.subject);
        tally[ASKED[candidate.way]] += 1;
        void work.add(async () => (await exportOne(candidate)) && settled());
        show();
        await work.onSizeLessThan(crew.size);
      }
    }
  } catch (error) {
    crew.stop?.();
    throw error;
  } finally {
    if (fatal || run.signal.aborted) work.clear();
    await work.onIdle();
  }
  if (fatal) throw fatal;
  // The provider refused every one: the API key lacks a right.
  if (refusal && !hasSucceeded && failures >= IN_A_ROW && !run.signal.aborted) throw refusal;
  if (selection.kind === "subjects" && !run.signal.aborted) missingSubjects(run, wanted, met, tally);
  if (!feed || run.signal.aborted) return {};
  const { list, changes } = run.source.can;
  if (!list && !changes && tally.examined === 0 && run.catalog.totals.counts().subjects === 0)
    run.log.warn(
      "no one was exported: the provider cannot list everyone, and no one is known yet; name their ids with backfill --ids",
    );
  // An incomplete walk proves nothing about the identities it did not see.
  if (feed.showsGone) {
    for (const { subject } of run.catalog.walk.end(run.sourceConfig.name, MISSED)) {
      const capture = gone(subject, keptIn(run.catalog, subject), "unlisted");
      if (capture.entry) await run.ledger.log(capture.entry);
      tally.gone += 1;
    }
  }
  return { round: true, ...(feed.walked ? { walked: true } : {}) };
}

/**
 * The provider does not have someone whom a webhook named just now, and neither does the vault. A webhook may come before
 * the API knows the person, so the next run asks again.
 */
function isEarly(run: Run, { subject, way }: Candidate, capture: Capture): boolean {
  if (way !== "inbox" || capture.kind !== "gone" || run.catalog.subjects.known(subject) !== undefined) return false;
  return run.inbox?.isEarly(subject, run.now()) ?? false;
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

/** Those of the requested subjects that this source must answer for: not those whose project another source answers for. */
function ownSubjects({ catalog, config, sourceConfig, log }: Run, subjects: ReadonlySet<string>): Set<string> {
  const own = new Set<string>();
  const asked = [sourceConfig, ...activeSources(config)];
  for (const subject of subjects) {
    const project = catalog.subjects.known(subject)?.project;
    const name = project && asked.find((each) => catalog.sources.isOf(each.name, project))?.name;
    if (!name || name === sourceConfig.name) own.add(subject);
    else log.info("this subject is of another source", { subject, source: name });
  }
  return own;
}

/** A requested subject that is not at the provider cannot be stored again. It is logged and counted as failed. */
function missingSubjects(run: Run, wanted: ReadonlySet<string>, met: ReadonlySet<string>, tally: Tally): void {
  for (const subject of wanted.difference(met)) {
    tally.failed += 1;
    run.log.error("the provider does not have this subject", {
      subject,
      stage: "source",
      code: "source-missing",
    });
  }
}

/** Does the work in this process. */
function own(run: Run): Crew {
  return {
    size: Math.max(run.sourceConfig.concurrency, 2) * 2,
    requests: 0,
    capture: (_, candidate) => captureIdentity(run, candidate, keptIn(run.catalog, candidate.subject)),
    get note() {
      return `provider: ${limitsText(run.source.limits)}`;
    },
  };
}

async function* noting(pages: AsyncIterable<Page>, observer: RunObserver): AsyncGenerator<Page> {
  for await (const page of pages) {
    for (const { updated } of page.identities) observer.listed(updated);
    yield page;
  }
}

function note({ new: fresh, changed, failed }: Tally, retries: number, { note }: Crew): string {
  return [
    `${fresh} new`,
    ...(changed > 0 ? [`${changed} changed`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(retries > 0 ? [plural(retries, "retry", "retries")] : []),
    note,
  ].join(", ");
}
