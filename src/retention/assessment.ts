import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { dateIn } from "./period.ts";
import { clock } from "./policy.ts";
import { purgeOf } from "./purge-plan.ts";
import { termsOf } from "./terms.ts";

/** What the vault holds of one person, on which legal basis and until when: to answer a request for erasure. */
export interface Assessment {
  readonly subject: string;
  readonly collect: ClientConfig["collect"];
  readonly legalBasis: readonly string[];
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** When the first and the last version was stored, RFC 3339 UTC. */
  readonly first: string;
  readonly last: string;
  /** The clocks of the policy, such as `P5Y from relationship-end`, for the data that there is. */
  readonly clocks: Readonly<Record<string, string>>;
  /** The last day of the relationship; undefined while it lasts. */
  readonly ended: string | undefined;
  /**
   * Until when everything must be kept; undefined while the relationship lasts. `untilDay` is that day in the client's
   * zone.
   */
  readonly until: string | undefined;
  readonly untilDay: string | undefined;
  /** The last lock in the store to end: before then no one can erase everything. */
  readonly lockedUntil: string;
  readonly holds: readonly { readonly case: string; readonly placed: string }[];
  /** kept: a legal duty to keep overrides erasure, GDPR Art. 17(3)(b). */
  readonly answer: "kept" | "held" | "locked" | "erasable";
}

/** A person whose records were all destroyed at the end of their retention period. */
export interface Destroyed {
  readonly subject: string;
  readonly answer: "purged";
  /** When the last of them was destroyed, RFC 3339 UTC. */
  readonly purged: string;
  /** Which runs of `retention purge` did it, the last one last. */
  readonly runs: readonly string[];
}

export function assess(
  catalog: Catalog,
  { collect, legalBasis, retention }: Pick<ClientConfig, "collect" | "legalBasis" | "retention">,
  subject: string,
  now: Temporal.Instant,
): Assessment {
  const terms = termsOf(catalog, retention, subject);
  const stored = inOrder(terms.map((term) => term.stored));
  const holds = catalog.holds.of(subject).map(({ case: token, placed }) => ({ case: token, placed }));
  const ends = terms.map(({ until }) => until);
  const known = ends.filter((end) => end !== undefined).sort(Temporal.Instant.compare);
  const until = known.length === ends.length ? known.at(-1) : undefined;
  const purge = purgeOf(catalog, retention, subject, now);
  const files = terms.filter(({ kind }) => kind === "file").length;
  const { identifying, verification, files: ofFiles } = retention.classes;
  return {
    subject,
    collect,
    legalBasis,
    holds,
    files,
    records: terms.length - files,
    bytes: terms.reduce((sum, { size }) => sum + size, 0),
    first: stored[0] ?? "",
    last: stored.at(-1) ?? "",
    clocks: {
      "identity data": clock(identifying),
      "verification results": clock(verification),
      ...(files > 0 ? { "document files": clock(ofFiles) } : {}),
    },
    ended: catalog.relationships.ended(subject),
    until: until?.toString({ smallestUnit: "second" }),
    untilDay: until && dateIn(until, retention.timezone).toString(),
    lockedUntil: inOrder(terms.map((term) => term.lockedUntil)).at(-1) ?? "",
    answer: holds.length > 0 ? "held" : !purge?.whole ? "kept" : purge.kept?.by === "lock" ? "locked" : "erasable",
  };
}

function inOrder(instants: readonly string[]): string[] {
  return instants.toSorted((one, other) => Temporal.Instant.compare(one, other));
}
