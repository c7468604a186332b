import type { ClientConfig, ScheduleConfig } from "../config/config.ts";
import { askedSources } from "../config/sources.ts";
import { type LastRun, noteExport, readLastExport } from "../state/last-export.ts";

/** Stands for a client's locks where no source is exported on its schedule: they are extended then all the same. */
export const LOCKS = "";

/** What is exported when: names of sources, or `LOCKS`. */
export interface Part {
  readonly client: ClientConfig;
  readonly schedule: ScheduleConfig;
  readonly names: readonly string[];
}

/** The sources that the client's runs ask, by their schedules. The client's own schedule always has a part. */
export function partsOf(client: ClientConfig): Part[] {
  const usual = JSON.stringify(client.schedule);
  const groups = Map.groupBy(askedSources(client), ({ schedule }) => JSON.stringify(schedule ?? client.schedule));
  const parts = [...groups.values()].map((sources): Part => {
    const names = sources.map(({ name }) => name);
    return { client, schedule: sources[0]!.schedule ?? client.schedule, names };
  });
  return groups.has(usual) ? parts : [{ client, schedule: client.schedule, names: [LOCKS] }, ...parts];
}

/** Everything of a client whose runs are remembered, by name: also of sources that these runs do not ask. */
export function partNames({ only: _, ...client }: ClientConfig): string[] {
  return partsOf(client).flatMap(({ names }) => names);
}

export function scheduleOf(client: ClientConfig, name: string): ScheduleConfig {
  return client.sources.find((source) => source.name === name)?.schedule ?? client.schedule;
}

/** What is remembered of one source. A source that is new in the config starts as the client is. */
export function lastRun({ state }: ClientConfig, name: string): LastRun {
  const { success, due, sources } = readLastExport(state);
  return { success, due, ...sources?.[name] };
}

/** Changes what is remembered of these sources. The client as a whole is as far as its last source. */
export function noteRuns(client: ClientConfig, changes: Readonly<Record<string, LastRun>>): void {
  if (Object.keys(changes).length === 0) return;
  const names = partNames(client);
  const [only = LOCKS, ...others] = names;
  if (others.length === 0) {
    noteExport(client.state, { sources: undefined, ...changes[only] });
    return;
  }
  const runs = names.map((name) => [name, { ...lastRun(client, name), ...changes[name] }] as const);
  noteExport(client.state, {
    success: earliest(runs.map(([, { success }]) => success)),
    due: earliest(runs.map(([, { due }]) => due)),
    sources: Object.fromEntries(runs),
  });
}

/** Undefined if one is. */
function earliest(times: readonly (string | undefined)[]): string | undefined {
  const known = times.filter((time) => time !== undefined);
  if (known.length < times.length) return undefined;
  return known.toSorted((one, other) => Temporal.Instant.compare(one, other))[0];
}
