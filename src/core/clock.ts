/** The program's time. Tests provide their own. */
export type Clock = () => Temporal.Instant;

export const systemClock: Clock = () => Temporal.Now.instant();

/** How much the clocks of two machines may differ. */
export const CLOCKS = { hours: 1 };

/**
 * A clock that never falls behind the time elapsed since now. If the machine's clock were set back during a run, it
 * would date entries before earlier ones, lock objects until a past day, and hold a lease for hours. A jump ahead is
 * accepted: it looks the same as a machine that slept.
 */
export function steady(clock: Clock): Clock {
  const begun = clock().epochMilliseconds;
  const start = performance.now();
  return () => {
    const wall = clock();
    // Integers for speed: each record reads the clock a dozen times.
    const passed = begun + Math.floor(performance.now() - start);
    return wall.epochMilliseconds < passed ? Temporal.Instant.fromEpochMilliseconds(passed) : wall;
  };
}
