/** RFC 3339 UTC with milliseconds: how instants are written in records and in the log. */
export function timestamp(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: "millisecond" });
}
