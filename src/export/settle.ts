import type { Entry, Unlogged } from "../audit/entry.ts";
import { timestamp } from "../core/timestamp.ts";
import type { Capture } from "./capture.ts";
import type { Run } from "./context.ts";
import type { Tally } from "./summary.ts";

/** Logs what became of one identity, and counts it: from then on it is done. */
export async function settle(run: Run, subject: string, capture: Capture, tally: Tally): Promise<void> {
  if ("entry" in capture && capture.entry) await logged(run, capture.entry);
  if (capture.kind !== "gone" && capture.listed !== undefined) run.catalog.walk.noteListed(subject, capture.listed);
  tally[capture.kind] += 1;
  if (capture.kind === "unchanged" || capture.kind === "past" || capture.kind === "gone") return;
  tally.files += capture.files;
  tally.withheld += capture.withheld;
  tally.bytes += capture.bytes;
}

/** Logs an entry as this run's, of now. */
export async function logged(run: Run, entry: Unlogged<Entry>): Promise<void> {
  const { type, ...fields } = entry;
  await run.ledger.log({ type, ...fields, time: timestamp(run.now()), run: run.id } as Entry);
}
