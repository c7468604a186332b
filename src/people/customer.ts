import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import type { Session } from "../session/client.ts";
import type { Kind } from "./people.ts";

/** What a search for people tells the operator, where one customer may have been verified by several providers. */
export interface Telling {
  /** One customer was found at these sources. */
  readonly onCustomer: (sources: readonly string[]) => void;
  /** So many verifications were found, all by a provider's id. */
  readonly onVerifications: (count: number) => void;
}

/** What a command does with the verifications of one customer: with both, or with all. */
const DOES = {
  retrieve: (all: string) => `the bag takes the records of ${all}`,
  hold: (all: string) => `the hold covers ${all}`,
  release: (all: string) => `the hold is released for ${all}`,
  end: (all: string) => `${all} relationships end`,
  reopen: (all: string) => `${all} relationships are reopened`,
  assess: (all: string) => `${all} are assessed`,
};

/** Says on stderr whose records a command concerns. */
export function tellWhom(
  { console }: Pick<Session, "console">,
  { id, sources: configured, lookups: { fields } }: ClientConfig,
  does: keyof typeof DOES,
): Telling {
  const names = configured.map(({ name }) => name);
  /** In the config's order; then those that it no longer has. */
  const place = (name: string) => (names.includes(name) ? names.indexOf(name) : names.length);
  return {
    onCustomer: (sources) => {
      const sorted = sources.toSorted((one, other) => place(one) - place(other));
      const all = sources.length === 2 ? "both" : "all";
      console.say(`${id}: one customer of ${sorted.slice(0, -1).join(", ")} and ${sorted.at(-1)}: ${DOES[does](all)}`);
    },
    onVerifications: (count) => {
      if (names.length < 2) return;
      const ways = [
        ...(fields.includes("email") ? ["--email"] : []),
        ...(fields.some((field) => field !== "email") ? ["--reference"] : []),
      ];
      const only = count === 1 ? "only this verification" : "only these verifications";
      if (ways.length > 0) console.say(`${id}: ${only}; use ${ways.join(" or ")} for all of the customer's`);
    },
  };
}

/**
 * The sources of these subjects, if each is of another one: then they are one customer, whom several providers verified.
 * Undefined for one subject, for several of the same source, and for an id, which different people may have at different
 * providers.
 */
export function oneCustomer(kind: Kind, subjects: readonly string[], catalog: Catalog): readonly string[] | undefined {
  if (subjects.length < 2 || kind === "identity") return undefined;
  const sources = subjects.map((subject) => sourceOf(catalog, subject));
  return new Set(sources).size === sources.length ? sources : undefined;
}

/** The name of the source that a subject is of. */
export function sourceOf({ subjects, sources }: Catalog, subject: string): string {
  const { project } = subjects.known(subject) ?? {};
  return (project && sources.nameOf(project)) ?? EARLIER;
}

/** Before a client could have several sources, the log did not name them. */
const EARLIER = "passbase";
