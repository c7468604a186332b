import type { Run } from "./context.ts";
import type { Feed } from "./feed.ts";
import { type Batch, planIds, planInbox, planNamed, planSubjects, planWalk, planWithheld, type Told } from "./plan.ts";
import type { RequestedSubjects } from "./requested.ts";
import type { RunOptions } from "./run-options.ts";
import type { Tally } from "./summary.ts";

/** Whom a run exports: named people, the nightly feed, or a selection of the source's list. */
export function candidatesOf(
  run: Run,
  { identities, selection, walk, observer }: RunOptions,
  feed: Feed | undefined,
  requested: RequestedSubjects | undefined,
  tally: Tally,
): AsyncIterable<Batch> | Iterable<Batch> {
  const unreadable = (count: number): void => {
    tally.failed += count;
    const what =
      selection.kind === "ids"
        ? "lines of the given list are not ids"
        : "entries of the source's list cannot be read, or have no readable id";
    const hint = "For a source of kind folder, `holdfast folder check` says where each is, and why.";
    run.log.error(what, { stage: "source", count, ...(selection.kind === "ids" ? {} : { hint }) });
  };
  const tell: Told = {
    unreadable,
    past: (subject) => requested?.notePast(subject),
    listed: (at) => observer?.listed(at),
  };
  const pages = walk?.pages ?? run.source.pages();
  if (identities) return planNamed(identities, run, tally);
  if (feed) return feed.candidates(pages, tally, tell);
  if (requested) return planSubjects(run, pages, requested.own, tally, tell);
  if (selection.kind === "inbox") return planInbox(run, tally);
  if (selection.kind === "ids") return planIds(run, selection.pages, tally, unreadable);
  if (selection.kind === "withheld" && !run.source.can.list) return planWithheld(run, tally);
  return planWalk(run, pages, selection, tally, tell);
}
