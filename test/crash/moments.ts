/** A moment to be killed at: what it is, and what hook.ts is told. */
export interface Moment {
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The names in a trace that hook.ts wrote, in order. */
export const namesIn = (trace: string): string[] => trace.trimEnd().split("\n");

/**
 * Of each name one moment in the middle. A kill before a write, with another just ended, is a kill after that other as
 * well: nothing was written between them, so it stands for both names.
 *
 * A moment is told by its place among those of its name: how many writes there are in all differs from run to run, since
 * entries that become durable together go into the catalog together.
 */
export function middleOfEach(names: readonly string[]): Moment[] {
  const positions = Map.groupBy(names.keys(), (at) => names[at]!);
  const covered = new Set<string>();
  return [...positions].flatMap(([name, all]) => {
    if (covered.has(name)) return [];
    const kills = all.map((at) => (isBetween(names, at + 1) ? at + 1 : at));
    const forTwo = kills.filter((at) => isBetween(names, at) && namesAt(names, at).every((each) => !covered.has(each)));
    const chosen = forTwo.length > 0 ? forTwo : kills;
    const at = chosen[chosen.length >> 1]!;
    for (const each of namesAt(names, at)) covered.add(each);
    const nth = positions.get(names[at]!)!.indexOf(at) + 1;
    const env = { HOLDFAST_CRASH_BEFORE: names[at]!, HOLDFAST_CRASH_NTH: String(nth) };
    return [{ what: `${namesAt(names, at).join(", ")}, number ${nth}`, env }];
  });
}

/** Whether one write ended at the moment before, and another begins at this. */
function isBetween(names: readonly string[], at: number): boolean {
  return Boolean(names[at - 1]?.startsWith("after ") && names[at]?.startsWith("before "));
}

function namesAt(names: readonly string[], at: number): string[] {
  return isBetween(names, at) ? [names[at - 1]!, names[at]!] : [names[at]!];
}
