/** Time as the program sees it; tests bring their own. */
export type Clock = () => Temporal.Instant;

export const systemClock: Clock = () => Temporal.Now.instant();

/**
 * A clock that never goes back behind the time that has passed since now. Set back in the middle of a run, the machine's
 * own clock would date entries before those they follow, lock objects until days long past, and keep a lease for hours.
 * A jump ahead is believed: no one can tell it from a machine that slept.
 */
export function steady(clock: Clock): Clock {
  const begun = clock().epochMilliseconds;
  const start = performance.now();
  return () => {
    const wall = clock();
    // In whole numbers: the clock is looked at a dozen times for each record.
    const passed = begun + Math.floor(performance.now() - start);
    return wall.epochMilliseconds < passed ? Temporal.Instant.fromEpochMilliseconds(passed) : wall;
  };
}
