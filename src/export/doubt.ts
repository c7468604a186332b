import { HoldfastError } from "../core/error.ts";
import type { Capture } from "./capture.ts";
import type { Run } from "./context.ts";
import type { Candidate } from "./plan.ts";

/** A provider that does not find someone in two runs this far apart no longer has them. */
const APART = Temporal.Duration.from({ hours: 6 });

/**
 * An error that fails this record and brings it back in the next run, where one 404 is all that says that someone is gone:
 * a provider that has trouble answers so as well. It is enough if the list no longer has them, if the
 * provider says that they are gone (410, a mark in its list, a webhook), or if an earlier run was answered the same.
 * Whom a person names is shown to that person, and a provider without a list has no other answer.
 */
export function doubtOf(
  { catalog, inbox, source, now }: Run,
  { subject, way, unlisted }: Candidate,
  capture: Capture,
): HoldfastError | undefined {
  if (capture.kind !== "gone" || capture.entry?.reason !== "deleted" || !source.can.list) return undefined;
  if (way === "name" || way === "ids") return undefined;
  if (capture.sure || unlisted || inbox?.erased(subject) !== undefined) return undefined;
  const known = catalog.subjects.known(subject);
  if (known !== undefined && known.missed > 0) return undefined;
  const since = catalog.runs.failingSince(subject, "source-missing");
  const isAgain = since !== undefined && Temporal.Instant.compare(Temporal.Instant.from(since).add(APART), now()) <= 0;
  // Someone of whom there is no copy, and whom the list shows, must not stop being a failure.
  if (isAgain && (known !== undefined || way !== "list")) return undefined;
  return new HoldfastError("source-missing", "the provider does not find someone whom it lists or had (404)", {
    hint: "The next run asks again. If the provider still does not find them in a run at least 6 hours later, or no longer lists them, Holdfast logs them as gone and keeps its copies.",
  });
}
