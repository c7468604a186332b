import type { RunTold } from "../catalog/runs.ts";

export type Outcome = "done" | "partial" | "interrupted" | "failed" | "unended" | "none";

/** What came of one night: of all runs that began on its day, UTC. */
export interface Night {
  /** `2026-11-24` */
  readonly day: string;
  readonly runs: number;
  /** Of the worst of them; none where none ran, unended where one was killed. */
  readonly outcome: Outcome;
  /** Of the last of them: a failure that was made good by the next run is no reason to worry. */
  readonly last: Outcome;
  readonly stored: number;
  readonly failed: number;
  readonly withheld: number;
  readonly bytes: number;
}

const WORST = ["failed", "unended", "interrupted", "partial", "done"] as const;

/**
 * Exports and backfills by night, the last `most` of them up to `today`, those without a run too: that an export has
 * silently stopped is what shows there.
 */
export function nightsOf(runs: readonly RunTold[], today: Temporal.PlainDate, most: number): Night[] {
  const exports = runs.filter(({ job }) => job === "export" || job === "backfill");
  const byDay = Map.groupBy(exports, ({ started }) => started.slice(0, 10));
  const first = [...byDay.keys()].sort()[0];
  if (first === undefined) return [];
  const earliest = today.subtract({ days: most - 1 });
  const begin = Temporal.PlainDate.compare(first, earliest) > 0 ? Temporal.PlainDate.from(first) : earliest;
  const nights: Night[] = [];
  for (let day = begin; Temporal.PlainDate.compare(day, today) <= 0; day = day.add({ days: 1 })) {
    nights.push(nightOf(day.toString(), byDay.get(day.toString()) ?? []));
  }
  return nights;
}

function outcomeOf(run: RunTold | undefined): string | undefined {
  return run && (run.outcome ?? "unended");
}

function nightOf(day: string, runs: readonly RunTold[]): Night {
  const sum = (...names: string[]): number =>
    runs.reduce((total, { counts }) => total + names.reduce((of, name) => of + (counts[name] ?? 0), 0), 0);
  const outcomes = new Set(runs.map(outcomeOf));
  return {
    day,
    runs: runs.length,
    outcome: WORST.find((each) => outcomes.has(each)) ?? "none",
    last: WORST.find((each) => each === outcomeOf(runs.at(-1))) ?? "none",
    stored: sum("new", "changed", "again"),
    failed: sum("failed"),
    withheld: sum("withheld"),
    bytes: sum("bytes"),
  };
}
