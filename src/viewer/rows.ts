import type { Field, Group } from "./fields.ts";
import { cut } from "./format.ts";
import { label } from "./label.ts";

/** A line of the table: a value of the version that is shown, and the same of the one it is compared with. */
export interface Row extends Pick<Field, "group" | "label" | "depth"> {
  readonly is: string | undefined;
  readonly was: string | undefined;
  readonly change: "added" | "removed" | "changed" | null;
  /** Why one of the two has no value, where that says nothing about the person. */
  readonly absent: string | undefined;
}

/** Why a record has nothing of a group, where that says nothing about the person. */
export type WhyLacking = (group: Group) => string | undefined;

/** Untrusted. A minimal record keeps almost nothing; of a full one, the config may leave out a request, or the key may not make it. */
export function lackingIn(record: Readonly<Record<string, unknown>>): WhyLacking {
  if (record.collect === "minimal") return () => "not collected";
  const names = (of: unknown) => new Set<unknown>(Array.isArray(of) ? of : []);
  const [notAsked, gaps] = [names(record.notAsked), names(record.gaps)];
  return ({ endpoint }) =>
    endpoint === undefined
      ? undefined
      : notAsked.has(endpoint)
        ? "not asked"
        : gaps.has(endpoint)
          ? "could not be read"
          : undefined;
}

const nothing: WhyLacking = () => undefined;

/** What differs in a copy is no news of the person: each was fetched at its own time. */
const isCounted = ({ section }: Group): boolean => section !== "copy";

/**
 * All values of a version, group by group. `before`: of the earlier one, if there is one to compare with.
 * @param lacks what either of the two has no answer to
 */
export function rowsOf(
  now: ReadonlyMap<string, Field>,
  before: ReadonlyMap<string, Field> | null,
  lacks: { readonly now: WhyLacking; readonly before: WhyLacking } = { now: nothing, before: nothing },
): Row[] {
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
    const absent = (is === undefined ? lacks.now : was === undefined ? lacks.before : nothing)(group);
    const change = before && isCounted(group) && absent === undefined ? changeOf(is, was) : null;
    return { group, label: name, depth, is: is?.value, was: was?.value, change, absent };
  });
  const said: Said[] = [];
  return [...Map.groupBy(rows, ({ group }) => group.id).values()].flatMap((members) => {
    const { group } = members[0]!;
    const repeats = group.repeats ? repeatsOf(members, said) : { rows: [], of: new Set<Row>() };
    if (group.section === "data") said.push({ group, meanings: new Set(members.map(meaningOf)) });
    return [...members.filter((row) => !repeats.of.has(row)), ...repeats.rows];
  });
}

function changeOf(is: Field | undefined, was: Field | undefined): Row["change"] {
  if (was === undefined) return "added";
  if (is === undefined) return "removed";
  return is.value === was.value ? null : "changed";
}

/** A group that was shown, with what it says. */
interface Said {
  readonly group: Group;
  readonly meanings: ReadonlySet<string>;
}

/** One line for all values that another group has as well; the group that has most of them first. */
function repeatsOf(members: readonly Row[], said: readonly Said[]) {
  let left = members.map((row) => ({ row, meaning: meaningOf(row) }));
  const [rows, of] = [[] as Row[], new Set<Row>()];
  for (;;) {
    const most = said
      .map(({ group, meanings }) => ({ group, same: left.filter(({ meaning }) => meanings.has(meaning)) }))
      .reduce<Same | null>((best, each) => (each.same.length > (best?.same.length ?? 0) ? each : best), null);
    if (most === null) return { rows, of };
    left = left.filter((each) => !most.same.includes(each));
    for (const { row } of most.same) of.add(row);
    rows.push(
      sameAs(
        most.group,
        most.same.map(({ row }) => row),
      ),
    );
  }
}

interface Same {
  readonly group: Group;
  readonly same: readonly { readonly row: Row; readonly meaning: string }[];
}

/** A change of these values is marked where the other group has them. */
function sameAs(other: Group, repeated: readonly Row[]): Row {
  const names = (which: "is" | "was") =>
    repeated.flatMap((row) => (row[which] === undefined ? [] : row.label)).join(", ") || undefined;
  const word = other.word === undefined ? "" : `: ${label(cut(other.word, 80))}`;
  const name = `Same as ${other.heading}${word}`;
  const { group } = repeated[0]!;
  return { group, label: name, depth: 0, is: names("is"), was: names("was"), change: null, absent: undefined };
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
