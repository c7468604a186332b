/** Subjects from `from` on and before `to`. */
export type Range = readonly [from: string, to: string];

const EVERYONE: Range = ["", "g"];

/**
 * The subjects whose turn it is. A hand goes round all subjects once in each `resync`, like a clock's; everyone it passed
 * since the last run is asked about. Its position depends on the time alone, so everyone comes within `resync`, however
 * often it runs. A clock that was set back passes no one: the round continues from there.
 */
export function turnOf(last: Temporal.Instant, now: Temporal.Instant, resync: Temporal.Duration): readonly Range[] {
  const [from, to] = [last.epochMilliseconds, now.epochMilliseconds];
  const whole = milliseconds(resync);
  if (to <= from) return [];
  if (to - from >= whole) return [EVERYONE];
  const [begin, end] = [hex(from, whole), hex(to, whole)];
  if (begin <= end) return [[begin, end]];
  return [
    [begin, EVERYONE[1]],
    [EVERYONE[0], end],
  ];
}

/** Months count from a fixed day, so that the round always takes equally long. */
export function milliseconds(duration: Temporal.Duration): number {
  return Math.round(duration.total({ unit: "milliseconds", relativeTo: Temporal.PlainDate.from("2026-01-01") }));
}

/** Where the hand is at this time, as the beginning of a subject. */
function hex(at: number, whole: number): string {
  return Math.floor(((at % whole) / whole) * 2 ** 48)
    .toString(16)
    .padStart(12, "0");
}
