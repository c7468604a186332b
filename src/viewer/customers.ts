import type { CheckedPerson } from "./bag.ts";

/** What says that two verifications are of one customer: the same value, and whose verifications have it. */
interface Shared<P> {
  readonly what: string;
  readonly others: readonly P[];
}

/** The name of the source that a verification is of, as the log says before any record is open; null if it does not say. */
export function sourceOf({ versions }: CheckedPerson): string | null {
  const entry = versions.findLast(({ entry }) => entry?.unproven === null && entry.json.has("source"))?.entry;
  const name = entry?.json.member("source").value;
  return typeof name === "string" && /^[a-z0-9][a-z0-9-]{0,62}$/.test(name) ? name : null;
}

/**
 * Which verifications of a bag are of one customer: the log has tokens of their lookups, which are the same where the
 * values are. As on the command line, only if each is of another source: at one, two people may share an address.
 */
export class Customers<P extends CheckedPerson> {
  readonly #having = new Map<string, P[]>();

  constructor(people: readonly P[]) {
    for (const person of people)
      for (const lookup of lookupsOf(person)) this.#having.getOrInsertComputed(lookup, () => []).push(person);
  }

  /** Undefined if the bag does not say that another is of the same customer. */
  sharedBy(person: P): Shared<P> | undefined {
    const shared = lookupsOf(person).flatMap((lookup) => {
      const all = this.#having.get(lookup) ?? [];
      const isApart = new Set(all.map(sourceOf)).size === all.length;
      return all.length > 1 && isApart
        ? [{ field: lookup.split(" ")[0]!, others: all.filter((each) => each !== person) }]
        : [];
    });
    const [first] = shared;
    if (first === undefined) return undefined;
    const what = [...new Set(shared.map(({ field }) => calledBy(field)))].join(" and ");
    return { what, others: [...new Set(shared.flatMap(({ others }) => others))] };
  }
}

function calledBy(field: string): string {
  if (field === "email") return "e-mail";
  return field === "document.number" ? "document number" : "reference";
}

/** `email 9f…`: the fields, without the number of a further value, and the tokens of proven lines. */
function lookupsOf({ versions }: CheckedPerson): string[] {
  const found = versions.flatMap(({ entry }) => {
    const lookups: unknown = entry?.unproven === null ? entry.json.member("lookups").value : null;
    if (typeof lookups !== "object" || lookups === null) return [];
    return Object.entries(lookups).map(([name, token]) => `${name.split("/")[0]} ${String(token)}`);
  });
  return [...new Set(found)];
}
