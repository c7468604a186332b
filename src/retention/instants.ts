/** How much the clocks of two machines may differ. */
export const CLOCKS = { hours: 1 };

export function instant(text: string): Temporal.Instant {
  return Temporal.Instant.from(text);
}

export function isBefore(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) < 0;
}
