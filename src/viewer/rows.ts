import type { Field, Group } from "./fields.ts";
import { cut } from "./format.ts";
import { label } from "./label.ts";

/** A line of the table: a value of the version that is shown, and the same of the one it is compared with. */
export interface Row extends Pick<Field, "group" | "label" | "depth"> {
  readonly is: string | undefined;
  readonly was: string | undefined;
  readonly change: "added" | "removed" | "changed" | null;
}

/** What differs in a copy is no news of the person: each was fetched at its own time. */
const isCounted = ({ section }: Group): boolean => section !== "copy";

/** All values of a version, group by group. `before`: of the earlier one, if there is one to compare with. */
export function rowsOf(now: ReadonlyMap<string, Field>, before: ReadonlyMap<string, Field> | null): Row[] {
  const keys = [...now.keys()];
  let last = -1;
  // What is gone is where it was: below the same line of a tree.
  for (const key of before?.keys() ?? []) {
    if (!now.has(key)) keys.splice(last + 1, 0, key);
    last = now.has(key) ? keys.indexOf(key) : last + 1;
  }
  const rows = keys.map((key): Row => {
    const [is, was] = [now.get(key), before?.get(key)];
    const { group, label: name, depth } = (is ?? was)!;
    const change = before && isCounted(group) ? changeOf(is, was) : null;
    return { group, label: name, depth, is: is?.value, was: was?.value, change };
  });
  /** The groups so far, with what each says. */
  const said: { readonly group: Group; readonly meanings: ReadonlySet<string> }[] = [];
  return [...Map.groupBy(rows, ({ group }) => group.id).values()].flatMap((members) => {
    const { group } = members[0]!;
    const isSaid = (row: Row) => said.some(({ meanings }) => meanings.has(meaningOf(row)));
    const repeated = group.repeats ? members.filter(isSaid) : [];
    const whole = said.find(({ meanings }) => repeated.every((row) => meanings.has(meaningOf(row))))?.group;
    if (group.section === "data") said.push({ group, meanings: new Set(members.map(meaningOf)) });
    if (repeated.length === 0) return members;
    return [...members.filter((row) => !repeated.includes(row)), sameAs(whole, repeated, before !== null)];
  });
}

function changeOf(is: Field | undefined, was: Field | undefined): Row["change"] {
  if (was === undefined) return "added";
  if (is === undefined) return "removed";
  return is.value === was.value ? null : "changed";
}

/** One line for the values that a group has in common with those before it; with the one that has all of them. */
function sameAs(whole: Group | undefined, repeated: readonly Row[], isCompared: boolean): Row {
  const names = repeated.map(({ label: each }) => each).join(", ");
  const { group } = repeated[0]!;
  const word = whole?.word === undefined ? "" : `: ${label(cut(whole.word, 80))}`;
  const name = `Same as ${whole === undefined ? "above" : `${whole.heading}${word}`}`;
  return { group, label: name, depth: 0, is: names, was: isCompared ? names : undefined, change: null };
}

/** Providers have several names for one thing; the value must be equal as well. */
const MEANINGS: Readonly<Record<string, string>> = {
  "First name": "Given name",
  "First names": "Given name",
  "Last name": "Family name",
  "Identification number": "Document number",
  "ID number": "Document number",
  "Identification class": "ID class",
};

function meaningOf({ label: name, is, was }: Row): string {
  return JSON.stringify([Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : name, is, was]);
}
