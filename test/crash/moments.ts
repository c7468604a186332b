/** A moment for a kill: its description, and the environment for hook.ts. */
export interface Moment {
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The names in hook.ts's trace, in order. */
export const namesIn = (trace: string): string[] => trace.trimEnd().split("\n");

/**
 * One moment of each name, from the middle. A kill before a write that follows another write is also a kill after that
 * one: nothing was written between them, so it covers both names.
 *
 * A moment is identified by its number among those with the same name: the total number of writes varies, since entries
 * that become durable together go into the catalog together.
 *
 * @param elsewhere names for which no moment is needed
 */
export function middleOfEach(names: readonly string[], elsewhere: readonly string[] = []): Moment[] {
  const positions = Map.groupBy(names.keys(), (at) => names[at]!);
  const covered = new Set(elsewhere);
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

/** Whether the moment before ended one write and this one begins another. */
function isBetween(names: readonly string[], at: number): boolean {
  return Boolean(names[at - 1]?.startsWith("after ") && names[at]?.startsWith("before "));
}

function namesAt(names: readonly string[], at: number): string[] {
  return isBetween(names, at) ? [names[at - 1]!, names[at]!] : [names[at]!];
}
