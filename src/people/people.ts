import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { mistypedText, parseNamedIdentity } from "../config/named-identity.ts";
import { HoldfastError } from "../core/error.ts";
import { number, verifications } from "../observe/format.ts";
import { idSpellings, plainText, spellings, unusualSpelling } from "../record/spellings.ts";
import type { Tokens } from "../record/tokens.ts";
import type { Session } from "../session/client.ts";
import { choices } from "./choices.ts";
import { oneCustomer, type Telling } from "./customer.ts";
import { purgedError } from "./purged.ts";

/** How people are named on the command line. */
export interface Wanted {
  readonly identities: readonly string[];
  readonly emails: readonly string[];
  /** Values of any of the client's lookups except the e-mail: `metadata.*`, `document.number`. */
  readonly references: readonly string[];
  readonly subjects: readonly string[];
  /** When the provider made a version; excludes the end. */
  readonly range?: { readonly from: Temporal.Instant; readonly to: Temporal.Instant } | undefined;
  /** If one e-mail or reference matches several people, take them all. */
  readonly allMatches?: boolean;
}

/** What a search for people needs. */
export interface Finder {
  readonly tokens: Tokens;
  readonly catalog: Catalog;
}

/** The maximum number of people for one command. */
const MOST = 50_000;

/** The client of a command that works on a single client. */
export function onlyClient({ clients }: Session, what: string): ClientConfig {
  const [config, ...others] = clients;
  if (config !== undefined && others.length === 0) return config;
  throw new HoldfastError("usage", `${what} works on one client, but the config has several`, {
    hint: "Add --client <id>.",
  });
}

/** The ways to name a person. */
export const KINDS = ["subject", "identity", "email", "reference"] as const;
export type Kind = (typeof KINDS)[number];

export const CALLED: Readonly<Record<Kind, string>> = {
  subject: "that subject",
  identity: "that identity",
  email: "that e-mail",
  reference: "that reference",
};

export function namesSomebody({ identities, emails, references, subjects }: Wanted): boolean {
  return [identities, emails, references, subjects].some((of) => of.length > 0);
}

/** Whether nothing but providers' ids names people: none of these finds what other providers have of the same customer. */
function isById({ identities, emails, references, subjects }: Wanted): boolean {
  return identities.length > 0 && [emails, references, subjects].every((of) => of.length === 0);
}

/** Every detail that names people, with its kind. */
function detailsOf({ identities, subjects, emails, references }: Wanted): (readonly [Kind, string])[] {
  return [
    ...identities.map((value) => ["identity", value] as const),
    ...subjects.map((value) => ["subject", value] as const),
    ...emails.map((value) => ["email", value] as const),
    ...references.map((value) => ["reference", value] as const),
  ];
}

/** Whether people are named, and not one detail matches a record or a purge. @throws HoldfastError "usage" */
export function isUnknown(options: Wanted, config: ClientConfig, finder: Finder): boolean {
  if (options.range || !namesSomebody(options)) return false;
  const isKnown = ([kind, value]: readonly [Kind, string]): boolean =>
    [...whoIs(kind, value, config, finder), ...departedBy(kind, value, config, finder)].length > 0;
  return !detailsOf(options).some(isKnown);
}

/**
 * Their subjects. @throws HoldfastError "usage" for an unknown person, and for a detail that matches several people.
 */
export function findPeople(options: Wanted, config: ClientConfig, finder: Finder, telling?: Telling): string[] {
  const found = new Set<string>();
  for (const [kind, value] of detailsOf(options)) {
    const subjects = whoIs(kind, value, config, finder);
    if (subjects.length === 0) {
      const [gone] = departedBy(kind, value, config, finder);
      if (gone !== undefined) throw purgedError(finder.catalog, config.id, gone, CALLED[kind]);
      const mistyped = kind === "identity" ? mistypedText(parseNamedIdentity(value, config)) : undefined;
      if (mistyped !== undefined)
        throw new HoldfastError("usage", mistyped, {
          hint: `Before the id write one of: ${config.sources.map(({ name }) => `${name}:`).join(", ")}; or write the id alone.`,
        });
      throw unknown(finder.catalog, CALLED[kind], kind, value);
    }
    const sources = oneCustomer(kind, subjects, finder.catalog);
    if (sources !== undefined) telling?.onCustomer(sources);
    else if (subjects.length > 1 && !options.allMatches) {
      const found = `${verifications(subjects.length)} have ${CALLED[kind]}:`;
      throw new HoldfastError("usage", [found, ...choices(subjects, finder.catalog)], {
        hint:
          kind === "identity"
            ? "Write the provider before the id: persona:…. Or name the one you mean by the token at the beginning of its line: --subject <token>."
            : "Name the one you mean by the token at the beginning of its line: --subject <token>. Or take all with --all-matches.",
      });
    }
    for (const subject of subjects) found.add(subject);
  }
  if (isById(options)) telling?.onVerifications(found.size);
  if (options.range) {
    const [from, to] = [options.range.from, options.range.to].map((at) => at.toString({ smallestUnit: "second" }));
    const subjects = finder.catalog.subjects.updatedIn(from!, to!, MOST + 1);
    if (subjects.length === 0) throw unknown(finder.catalog, "a version in that period");
    for (const subject of subjects) found.add(subject);
  }
  if (found.size === 0) {
    throw new HoldfastError("usage", "no person is named", {
      hint: "Add --identity, --email, --reference or --subject. --help lists all options.",
    });
  }
  if (found.size > MOST) {
    throw new HoldfastError("usage", `those are more than ${number(MOST)} verifications`, {
      hint: "Run the command for smaller groups.",
    });
  }
  return [...found].sort();
}

/** The subjects for an id in all its possible spellings, by provider; undefined for a lookup. */
function meantBy(kind: Kind, value: string, config: ClientConfig, { tokens }: Finder): string[][] | undefined {
  if (kind === "subject") return [[subjectOf(value)]];
  if (kind === "identity") return subjectsOf(value, config, tokens);
  return undefined;
}

/** The subjects that an id may be of, for each provider that its prefix allows: one for each spelling. */
function subjectsOf(value: string, config: ClientConfig, tokens: Tokens): string[][] {
  const { id, kinds } = parseNamedIdentity(value, config);
  return kinds.map((kind) => idSpellings(id).map((spelling) => tokens.subject(kind, spelling)));
}

/** The subjects of an id whose records were all purged. Lookups are purged too, so they match no one here. */
export function departedBy(kind: Kind, value: string, config: ClientConfig, finder: Finder): string[] {
  return (meantBy(kind, value, config, finder) ?? []).flat().filter((subject) => isPurged(finder.catalog, subject));
}

/** Also where the relationship was reopened since: the next export takes such a person again, and has not yet. */
function isPurged({ subjects, relationships, purges }: Catalog, subject: string): boolean {
  if (subjects.known(subject)) return false;
  return relationships.hasDeparted(subject) || purges.destroyed(subject).length > 0;
}

/** The subjects that match: none, one or more. @throws HoldfastError "usage" if no such lookup is configured. */
export function whoIs(kind: Kind, value: string, config: ClientConfig, finder: Finder): string[] {
  const { tokens, catalog } = finder;
  const meant = meantBy(kind, value, config, finder);
  if (meant) return meant.flatMap((spelt) => spelt.filter((subject) => catalog.subjects.known(subject)).slice(0, 1));
  const { fields } = config.lookups;
  const names = fields.filter((field) => (field === "email") === (kind === "email"));
  if (names.length === 0) {
    throw new HoldfastError("usage", `${config.id} has no lookup for ${kind}`, {
      hint: `lookups.fields has: ${fields.join(", ") || "none"}. Use --identity or --subject instead.`,
    });
  }
  const found = names.flatMap((name) =>
    spellings(name, value).flatMap((spelling) => catalog.subjects.find(name, tokens.lookup(name, spelling))),
  );
  return [...new Set(found)];
}

/** A pasted subject, cleaned up: subjects are lower-case hexadecimal. */
export function subjectOf(text: string): string {
  return plainText(text).toLowerCase();
}

/** Why a value may match no one, without quoting it: a clause, or nothing. */
export function oddSpelling(value: string): string {
  const found = unusualSpelling(value);
  return found.length === 0 ? "" : `; as given, it has ${found.join(", and ")}`;
}

/** The subject, if anything is kept. @throws HoldfastError "usage" otherwise. */
export function knownSubject(catalog: Catalog, client: string, subject: string): string {
  if (catalog.subjects.known(subject)) return subject;
  if (isPurged(catalog, subject)) throw purgedError(catalog, client, subject, `subject ${subject}`);
  throw unknown(catalog, `subject ${subject}`);
}

/** Another reason why a lookup may match no one: a purged person has none any more. A clause, or nothing. */
export function lookupsGone(catalog: Catalog, kind: Kind): string {
  const isLookup = kind === "email" || kind === "reference";
  return isLookup && catalog.purges.any() ? "; a person who was purged cannot be found by it any more" : "";
}

/** A record's lookups are made when it is stored. */
const LATER =
  " A record that was stored before a field was added to lookups.fields cannot be found by that field: `holdfast export --identity <id> --again` stores one again.";

/** Other spellings that the search tries. */
const TRIED: Partial<Readonly<Record<Kind, string>>> = {
  identity: "without invisible characters, and with plain hyphens and digits",
  email:
    "without invisible characters; with plain letters, digits and hyphens; without mailto:, a name or brackets around it; the domain in ASCII (xn--) and in Unicode",
  reference:
    "without invisible characters; with plain letters, digits, hyphens and blanks; as a document number also without separators",
};

function unknown(catalog: Catalog, what: string, kind: Kind = "subject", value = ""): HoldfastError {
  const gone = lookupsGone(catalog, kind);
  const byId = gone === "" ? "" : " For a purged person use --identity, the provider's id, or --subject.";
  const tried = TRIED[kind] === undefined ? "" : ` The search used the value as given, and ${TRIED[kind]}.`;
  return new HoldfastError("usage", `the vault has no one with ${what}${gone}${oddSpelling(value)}`, {
    hint: `Check the spelling, and --client. People who were never exported cannot be found.${kind === "email" || kind === "reference" ? LATER : ""}${byId}${tried}`,
  });
}
