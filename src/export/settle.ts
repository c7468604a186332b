import type { Capture } from "./capture.ts";
import type { Run } from "./context.ts";
import type { Tally } from "./summary.ts";

/** Logs the outcome for one identity and counts it. From then on the identity is done. */
export async function settle(run: Run, subject: string, capture: Capture, tally: Tally): Promise<void> {
  if ("entry" in capture && capture.entry) await run.ledger.log(capture.entry);
  if (capture.kind !== "gone" && capture.listed !== undefined) run.catalog.walk.noteListed(subject, capture.listed);
  tally[capture.kind] += 1;
  const withheld = "withheld" in capture ? (capture.withheld ?? 0) : 0;
  tally.withheld += withheld;
  if (withheld > 0) tally.lacking += 1;
  if (capture.kind === "unchanged" || capture.kind === "past" || capture.kind === "gone") return;
  tally.files += capture.files;
  tally.bytes += capture.bytes;
}
