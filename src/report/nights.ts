import { AT_ONCE_JOB, type RunTold } from "../catalog/runs.ts";

/** `unended` has no end in the log, and does not run any more as far as the lease tells; `running` does. */
export type NightOutcome = "done" | "partial" | "interrupted" | "failed" | "unended" | "running" | "none";

/** What came of one night: of all runs that began on its day, UTC. */
export interface Night {
  /** `2026-11-24` */
  readonly day: string;
  readonly runs: number;
  /**
   * Of the last of them, and where several sources were asked, the least good of their last ones: a failure that the next
   * run made good is no reason to worry. `none` where no run began.
   */
  readonly outcome: NightOutcome;
  /** When the last of them ended, or began where it has no end; RFC 3339 UTC. Null where no run began. */
  readonly time: string | null;
  /** How many of them ended otherwise than well, by outcome. */
  readonly unwell: Readonly<Partial<Record<NightOutcome, number>>>;
  /** The sources of these, by outcome. */
  readonly unwellOf: Readonly<Partial<Record<NightOutcome, readonly string[]>>>;
  /** These count what was exported at once on that day too: such a run is not the night's. */
  readonly stored: number;
  readonly failed: number;
  readonly withheld: number;
  readonly bytes: number;
}

const LEAST_GOOD = ["unended", "failed", "interrupted", "partial", "running", "done"] as const;
const ENDS = ["failed", "interrupted", "partial", "done"] as const;

/**
 * Exports and backfills by night, the last `most` of them up to `today`, those without a run too: that an export has
 * silently stopped is what shows there.
 * @param isRunning an export or backfill has the vault now: the last run of them, if it has no end yet
 */
export function nightsOf(
  runs: readonly RunTold[],
  today: Temporal.PlainDate,
  most: number,
  isRunning: boolean,
): Night[] {
  const exports = runs.filter(({ job }) => job === "export" || job === "backfill");
  const dayOf = ({ started }: RunTold): string => started.slice(0, 10);
  const byDay = Map.groupBy(exports, dayOf);
  const atOnce = Map.groupBy(
    runs.filter(({ job }) => job === AT_ONCE_JOB),
    dayOf,
  );
  const first = [...byDay.keys()].sort()[0];
  if (first === undefined) return [];
  const earliest = today.subtract({ days: most - 1 });
  const begin = Temporal.PlainDate.compare(first, earliest) > 0 ? Temporal.PlainDate.from(first) : earliest;
  const running = isRunning ? exports.at(-1) : undefined;
  const nights: Night[] = [];
  for (let day = begin; Temporal.PlainDate.compare(day, today) <= 0; day = day.add({ days: 1 })) {
    const name = day.toString();
    nights.push(nightOf(name, byDay.get(name) ?? [], atOnce.get(name) ?? [], running));
  }
  return nights;
}

/** A source of the config, and how its last run ended. */
export interface SourceRun {
  readonly name: string;
  readonly retired: boolean;
  readonly outcome: NightOutcome;
  /** When that run ended, or began where it has no end; RFC 3339 UTC. Null where no run began. */
  readonly time: string | null;
  /** Drops that had not been complete for more than three days at that run. */
  readonly stalled: number;
}

/**
 * The last run of each source.
 * @param isRunning as above
 */
export function sourceRunsOf(
  sources: readonly { readonly name: string; readonly retired: boolean }[],
  runs: { lastOf(source: string): RunTold | undefined; last(): RunTold | undefined },
  isRunning: boolean,
): SourceRun[] {
  const running = isRunning ? runs.last()?.run : undefined;
  return sources.map(({ name, retired }) => {
    const last = runs.lastOf(name);
    const outcome =
      last !== undefined && last.run === running && last.outcome === null ? "running" : outcomeOf(last, undefined);
    const time = last?.finished ?? last?.started ?? null;
    return { name, retired, outcome, time, stalled: last?.counts.stalled ?? 0 };
  });
}

function outcomeOf(run: RunTold | undefined, running: RunTold | undefined): NightOutcome {
  if (run === undefined) return "none";
  return ENDS.find((each) => each === run.outcome) ?? (run === running ? "running" : "unended");
}

function nightOf(
  day: string,
  runs: readonly RunTold[],
  atOnce: readonly RunTold[],
  running: RunTold | undefined,
): Night {
  const sum = (...names: string[]): number =>
    [...runs, ...atOnce].reduce(
      (total, { counts }) => total + names.reduce((of, name) => of + (counts[name] ?? 0), 0),
      0,
    );
  const last = runs.at(-1);
  const lasts = [...Map.groupBy(runs, ({ source }) => source).values()].map((of) => outcomeOf(of.at(-1), running));
  const outcomes = Map.groupBy(runs, (run) => outcomeOf(run, running));
  const unwell = [...outcomes].filter(([outcome]) => outcome !== "done" && outcome !== "running");
  return {
    day,
    runs: runs.length,
    outcome: LEAST_GOOD.find((each) => lasts.includes(each)) ?? "none",
    time: last?.finished ?? last?.started ?? null,
    unwell: Object.fromEntries(unwell.map(([outcome, of]) => [outcome, of.length])),
    unwellOf: Object.fromEntries(
      unwell.map(([outcome, of]) => [outcome, [...new Set(of.flatMap(({ source }) => source ?? []))].sort()]),
    ),
    stored: sum("new", "changed", "again"),
    failed: sum("failed"),
    withheld: sum("withheld"),
    bytes: sum("bytes"),
  };
}
