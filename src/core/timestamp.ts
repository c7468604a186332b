/** RFC 3339 UTC with milliseconds, as in records and in the log. */
export function timestamp(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: "millisecond" });
}

/** Whether the text is an instant as in docs/FORMAT.md, section 1, on a day that exists. */
export function isInstant(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text)) return false;
  const date = new Date(text);
  // JavaScript engines read 30 February as 2 March.
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 19) === text.slice(0, 19);
}

export function instant(text: string): Temporal.Instant {
  return Temporal.Instant.from(text);
}

export function isBefore(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) < 0;
}
