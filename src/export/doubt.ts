import { HoldfastError } from "../core/error.ts";
import type { Capture } from "./capture.ts";
import type { Run } from "./context.ts";
import type { Candidate } from "./plan.ts";

/** A provider that does not find someone in two runs this far apart no longer has them. */
const APART = Temporal.Duration.from({ hours: 6 });

/**
 * An error that fails this record and brings it back in the next run, where one 404 is all that says that someone is gone:
 * a provider that has trouble answers so as well. It is enough if the list no longer has them, if the
 * provider says that they are gone (410, a mark in its list, a webhook), if an earlier run was answered the same, or if
 * the provider lets no one be read for so long. Whom a person names is shown to that person, where a list tells the others
 * apart: without one, a wrong address looks like everyone's end.
 */
export function doubtOf(
  { catalog, inbox, source, sourceConfig, now }: Run,
  { subject, way, unlisted }: Candidate,
  capture: Capture,
): HoldfastError | undefined {
  if (capture.kind !== "gone" || capture.entry?.reason !== "deleted") return undefined;
  if (source.can.list && (way === "name" || way === "ids")) return undefined;
  if (capture.sure || unlisted || inbox?.erased(subject) !== undefined) return undefined;
  const known = catalog.subjects.known(subject);
  if (known !== undefined && known.missed > 0) return undefined;
  if (isBeyond(sourceConfig.horizon, catalog.kept.updated(subject), now())) return undefined;
  const since = catalog.runs.failingSince(subject, "source-missing");
  const isAgain = since !== undefined && Temporal.Instant.compare(Temporal.Instant.from(since).add(APART), now()) <= 0;
  // Someone of whom there is no copy, and whom the list shows, must not stop being a failure.
  if (isAgain && (known !== undefined || way !== "list")) return undefined;
  return new HoldfastError("source-missing", "the provider does not find someone whom it lists or had (404)", {
    hint: "The next run asks again. If the provider still does not find them in a run at least 6 hours later, or no longer lists them, Holdfast logs them as gone and keeps its copies. If this is said of many at once, check source.url.",
  });
}

/** Whether the provider no longer lets anyone be read who last changed at this time (RFC 3339 UTC): a 404 is then the normal end. */
function isBeyond(horizon: Temporal.Duration | undefined, updated: string | undefined, now: Temporal.Instant): boolean {
  if (horizon === undefined || updated === undefined) return false;
  const since = now.toZonedDateTimeISO("UTC").subtract(horizon).toInstant();
  return Temporal.Instant.compare(Temporal.Instant.from(updated), since) < 0;
}
