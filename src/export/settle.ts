import type { Capture } from "./capture.ts";
import type { Run } from "./context.ts";
import type { Candidate } from "./plan.ts";
import type { Tally } from "./summary.ts";

/** Logs the outcome for one identity and counts it. From then on the identity is done. */
export async function settle(run: Run, candidate: Candidate, capture: Capture, tally: Tally): Promise<void> {
  const { subject } = candidate;
  const { walk } = run.catalog;
  if ("files" in capture) {
    await run.ledger.log({ ...capture.entry, ...originOf(run, candidate) });
    tally.files += capture.files;
    tally.bytes += capture.bytes;
    if (capture.gaps.length > 0) tally.incomplete += 1;
    run.gaps.note(capture.gaps);
    if (capture.glance !== undefined) walk.noteGlance(subject, capture.glance);
  } else {
    if (capture.kind === "gone" && capture.entry) {
      // The only dated proof of when the provider lost it.
      const told = run.inbox?.erased(subject);
      await run.ledger.log({ ...capture.entry, ...(told === undefined ? {} : { told }) });
    }
    if (capture.listed !== undefined) walk.noteListed(subject, capture.listed);
    if (capture.kind === "unchanged") {
      noteThere(run, candidate, capture.content);
      if (capture.glance !== undefined) walk.noteGlance(subject, capture.glance);
    }
    walk.noteSettled(subject);
  }
  tally[capture.kind] += 1;
  const withheld = "withheld" in capture ? (capture.withheld ?? 0) : 0;
  tally.withheld += withheld;
  if (withheld > 0) tally.lacking += 1;
}

/** The source answered, and the vault has what it said: so the person is at this source, whatever was noted before. */
function noteThere({ catalog, ...run }: Run, candidate: Candidate, content: string | undefined): void {
  const { subject } = candidate;
  const known = catalog.subjects.known(subject);
  if (known === undefined) return;
  catalog.walk.noteMet(
    [{ subject, known, handle: () => originOf(run, candidate).handle }],
    run.sourceConfig.name,
    true,
  );
  if (content !== undefined) catalog.walk.noteContent(subject, content);
}

/** Where someone was found, for the log: the source, and the closed provider id. */
export function originOf(
  { sourceConfig, source, handles }: Pick<Run, "sourceConfig" | "source" | "handles">,
  { subject, id }: Candidate,
) {
  return { source: sourceConfig.name, handle: handles.close(subject, source.kind, id) };
}
