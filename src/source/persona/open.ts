import { type Resource, timeOf } from "./answers.ts";

/** A verification or a report that never ends is asked for no longer than this: then the slow round is enough. */
const PATIENCE = Temporal.Duration.from({ hours: 30 * 24 });

/**
 * Whether Persona, or someone who reviews a case there, is still working on something that belongs to the inquiry. Its
 * end moves no time of the inquiry, so neither list nor search tells. The inquiry's own status does, and what still
 * waits for the person (`initiated`) ends with a status of the inquiry.
 */
export function isOpen(resources: readonly Resource[], now: Temporal.Instant): boolean {
  const oldest = now.subtract(PATIENCE);
  return resources.some((resource) => {
    if (!isPending(resource)) return false;
    const since = timeOf(resource, "updated-at", "submitted-at", "created-at");
    return since !== null && Temporal.Instant.compare(since, oldest) >= 0;
  });
}

function isPending({ type, attributes }: Resource): boolean {
  const status = String(attributes.status);
  if (attributes["redacted-at"] != null) return false;
  if (type.startsWith("report/")) return status === "pending";
  if (type.startsWith("verification/")) return status === "submitted" || status.startsWith("tentatively_");
  if (type.startsWith("document/") || type.startsWith("selfie/")) return status === "submitted";
  return type === "case" && attributes["resolved-at"] === null;
}
