import type { Page } from "../source/source.ts";
import type { Run } from "./context.ts";
import type { Feed } from "./feed.ts";
import { type Batch, planIds, planInbox, planNamed, planSubjects, planWalk, planWithheld } from "./plan.ts";
import type { RequestedSubjects } from "./requested.ts";
import type { RunObserver, RunOptions } from "./run-options.ts";
import type { Tally } from "./summary.ts";

/** Whom a run exports: named people, the nightly feed, or a selection of the source's list. */
export function candidatesOf(
  run: Run,
  { identities, selection, walk, observer }: RunOptions,
  feed: Feed | undefined,
  requested: RequestedSubjects | undefined,
  tally: Tally,
): AsyncIterable<Batch> | Iterable<Batch> {
  const onUnreadable = (count: number): void => {
    tally.failed += count;
    const what =
      selection.kind === "ids"
        ? "lines of the given list are not ids"
        : "entries of the source's list cannot be read, or have no readable id";
    const hint = "For a source of kind folder, `holdfast folder check` says where each is, and why.";
    run.log.error(what, { stage: "source", count, ...(selection.kind === "ids" ? {} : { hint }) });
  };
  const onPast = (subject: string): void => requested?.notePast(subject);
  const onChange = (at: string): void => observer?.listed(at);
  const pages = walk?.pages ?? run.source.pages();
  const listed = observer ? telling(pages, observer) : pages;
  if (identities) return planNamed(identities, run, tally);
  if (feed) return feed.candidates(listed, tally, onUnreadable, onChange);
  if (requested) return planSubjects(run, listed, requested.own, tally, onUnreadable, onPast);
  if (selection.kind === "inbox") return planInbox(run, tally);
  if (selection.kind === "ids") return planIds(run, selection.pages, tally, onUnreadable);
  if (selection.kind === "withheld" && !run.source.can.list) return planWithheld(run, tally);
  return planWalk(run, listed, selection, tally, onUnreadable, onPast);
}

async function* telling(pages: AsyncIterable<Page>, observer: RunObserver): AsyncGenerator<Page> {
  for await (const page of pages) {
    for (const { updated } of page.identities) observer.listed(updated);
    yield page;
  }
}
