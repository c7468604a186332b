import PQueue from "p-queue";
import type { Entry } from "../audit/entry.ts";
import { plural } from "../observe/format.ts";
import { candidatesOf } from "./candidates.ts";
import { gone } from "./capture.ts";
import type { Run } from "./context.ts";
import { type Crew, thisProcess } from "./crew.ts";
import { Feed } from "./feed.ts";
import { IdentityExporter } from "./identity-exporter.ts";
import { keptIn } from "./kept.ts";
import { PageOrder } from "./page-order.ts";
import type { Candidate } from "./plan.ts";
import { RequestedSubjects } from "./requested.ts";
import { asksInbox, type RunOptions } from "./run-options.ts";
import { ASKED, type Tally } from "./summary.ts";

/** An identity is logged as gone after this many walks in a row without it. */
const MISSED = 2;

/** What a run's end says in the log, if it looked at everyone it had to, and if it walked the whole list. */
export type Round = Pick<Extract<Entry, { type: "run.finished" }>, "round" | "walked">;

/** Exports everyone whom the run is about, several at once, in the order in which the source names them. */
export async function exportAll(run: Run, tally: Tally, options: RunOptions): Promise<Round> {
  const { identities, selection, progress, walk, crew = thisProcess(run), observer } = options;
  using feed = asksInbox(options) ? new Feed(run, run.started) : undefined;
  const requested = selection.kind === "subjects" ? new RequestedSubjects(run, selection.subjects) : undefined;
  const exporter = new IdentityExporter(run, crew, tally, options);
  const underWay = new Set<string>();
  const work = new PQueue({ concurrency: crew.size });
  // An estimate: the number of the last walk.
  const expected = { about: run.catalog.totals.counts().subjects };
  const show = (): void => {
    const { before, total } = walk ?? { before: 0, total: feed?.walks === false ? undefined : expected };
    progress.update(before + doneOf(tally), identities?.length ?? total, () => note(tally, run.retries(), crew));
    observer?.counted(tally);
  };
  const exportOne = async (candidate: Candidate): Promise<boolean> => {
    // It was waiting when the run ended.
    if (exporter.isOver) return false;
    try {
      return await exporter.export(candidate);
    } finally {
      underWay.delete(candidate.subject);
      show();
    }
  };
  const order = new PageOrder((cursor) => walk?.settled(cursor, walk.before + tally.examined));
  if (feed) run.catalog.walk.begin();
  const plan = candidatesOf(run, options, feed, requested, tally);
  try {
    for await (const { candidates, cursor } of plan) {
      if (exporter.isOver) break;
      const settled = order.begin(cursor, candidates.length);
      show();
      for (const candidate of candidates) {
        if (exporter.isOver) break;
        if (underWay.has(candidate.subject)) {
          // The same identity twice in one walk: pages shifted during the walk.
          settled();
          continue;
        }
        underWay.add(candidate.subject);
        requested?.noteFound(candidate.subject);
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
    if (exporter.isOver) work.clear();
    await work.onIdle();
  }
  exporter.refuseFatal();
  if (!run.signal.aborted) requested?.failMissing(tally);
  return !feed || run.signal.aborted ? {} : endRound(run, feed, tally);
}

async function endRound(run: Run, feed: Feed, tally: Tally): Promise<Round> {
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

function doneOf(tally: Tally): number {
  const { unchanged, past, new: fresh, changed, again, gone, notFound, early, failed } = tally;
  return unchanged + past + fresh + changed + again + gone + notFound + early + failed;
}

function note({ new: fresh, changed, failed }: Tally, retries: number, { note }: Crew): string {
  return [
    `${fresh} new`,
    ...(changed > 0 ? [`${changed} changed`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(retries > 0 ? [plural(retries, "retry", "retries")] : []),
    ...(note === "" ? [] : [note]),
  ].join(", ");
}
