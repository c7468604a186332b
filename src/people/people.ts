import type { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";
import { number } from "../observe/format.ts";
import { idSpellings, peculiarities, plainText, spellings } from "../record/spellings.ts";
import type { Tokens } from "../record/tokens.ts";
import type { Session } from "../session/client.ts";

/** How people are named on the command line. */
export interface Wanted {
  readonly identities: readonly string[];
  readonly emails: readonly string[];
  /** By any of the client's lookups but the e-mail: `metadata.*`, `document.number`. */
  readonly references: readonly string[];
  readonly subjects: readonly string[];
  /** When the provider made a version; the end is not in it. */
  readonly range?: { readonly from: Temporal.Instant; readonly to: Temporal.Instant } | undefined;
  /** Several people under one e-mail or reference are all meant. */
  readonly allMatches?: boolean;
}

/** What people are found by. */
export interface Finder {
  readonly tokens: Tokens;
  readonly catalog: Catalog;
}

/** People that one command may be about. */
const MOST = 50_000;

/** The client that a command about people is for: one alone. */
export function onlyClient({ clients }: Session, what: string): ClientConfig {
  const [config, ...others] = clients;
  if (config !== undefined && others.length === 0) return config;
  throw new HoldfastError("usage", `${what} is about one client, and the config has several`, {
    hint: "Add --client <id>.",
  });
}

/** How someone may be named. */
export const KINDS = ["subject", "identity", "email", "reference"] as const;
export type Kind = (typeof KINDS)[number];

const CALLED: Readonly<Record<Kind, string>> = {
  subject: "that subject",
  identity: "that identity",
  email: "that e-mail",
  reference: "that reference",
};

export function namesSomebody({ identities, emails, references, subjects }: Wanted): boolean {
  return [identities, emails, references, subjects].some((of) => of.length > 0);
}

/** Their subjects. Throws `usage` for whoever the vault does not have, and for a lookup that finds more than one. */
export function findPeople(options: Wanted, config: ClientConfig, finder: Finder): string[] {
  const found = new Set<string>();
  const named = [
    ...options.identities.map((value) => ["identity", value] as const),
    ...options.subjects.map((value) => ["subject", value] as const),
    ...options.emails.map((value) => ["email", value] as const),
    ...options.references.map((value) => ["reference", value] as const),
  ];
  for (const [kind, value] of named) {
    const subjects = whoIs(kind, value, config, finder);
    if (subjects.length === 0) {
      for (const subject of departedBy(kind, value, config, finder))
        knownSubject(finder.catalog, subject, CALLED[kind]);
      throw unknown(CALLED[kind], kind, value);
    }
    if (subjects.length > 1 && !options.allMatches) {
      throw new HoldfastError("usage", `${subjects.length} people have ${CALLED[kind]}: ${subjects.join(", ")}`, {
        hint: "Name the one you mean with --subject, or all with --all-matches.",
      });
    }
    for (const subject of subjects) found.add(subject);
  }
  if (options.range) {
    const [from, to] = [options.range.from, options.range.to].map((at) => at.toString({ smallestUnit: "second" }));
    const subjects = finder.catalog.subjects.updatedIn(from!, to!, MOST + 1);
    if (subjects.length === 0) throw unknown("a version of that time");
    for (const subject of subjects) found.add(subject);
  }
  if (found.size === 0) {
    throw new HoldfastError("usage", "no one is named", {
      hint: "Add --identity, --email, --reference or --subject; --help shows what else there is.",
    });
  }
  if (found.size > MOST) {
    throw new HoldfastError("usage", `those are more than ${number(MOST)} people`, {
      hint: "Ask for a part of them at once.",
    });
  }
  return [...found].sort();
}

/** The subjects that an id may mean, in the spellings it is looked for; undefined for a lookup, which is no id. */
function meantBy(kind: Kind, value: string, config: ClientConfig, { tokens }: Finder): string[] | undefined {
  if (kind === "subject") return [subjectOf(value)];
  if (kind === "identity") return idSpellings(value).map((id) => tokens.subject(config.source.kind, id));
  return undefined;
}

/** Whom an id names, if all that the vault had of them was purged. Lookups are purged too, so they find no one here. */
export function departedBy(kind: Kind, value: string, config: ClientConfig, finder: Finder): string[] {
  const { catalog } = finder;
  return (meantBy(kind, value, config, finder) ?? []).filter(
    (subject) => !catalog.subjects.known(subject) && catalog.relationships.hasDeparted(subject),
  );
}

/** The subjects of whoever has this name: none, one or more. Throws `usage` where no one is found by such names. */
export function whoIs(kind: Kind, value: string, config: ClientConfig, finder: Finder): string[] {
  const { tokens, catalog } = finder;
  const meant = meantBy(kind, value, config, finder);
  if (meant) return meant.filter((subject) => catalog.subjects.known(subject)).slice(0, 1);
  const { fields } = config.lookups;
  const names = fields.filter((field) => (field === "email") === (kind === "email"));
  if (names.length === 0) {
    throw new HoldfastError("usage", `no one of ${config.id} can be found by ${kind}: no such lookup is configured`, {
      hint: `lookups.fields has: ${fields.join(", ") || "none"}. Name them by --identity or --subject.`,
    });
  }
  const found = names.flatMap((name) =>
    spellings(name, value).flatMap((spelling) => catalog.subjects.find(name, tokens.lookup(name, spelling))),
  );
  return [...new Set(found)];
}

/** A subject as it was pasted: it has hexadecimal digits only. */
export function subjectOf(text: string): string {
  return plainText(text).toLowerCase();
}

/** What may be why a value finds no one, and nothing of the value itself: a clause, or nothing. */
export function oddly(value: string): string {
  const found = peculiarities(value);
  return found.length === 0 ? "" : `; as given it has ${found.join(", and ")}`;
}

/** The subject, of whom something is kept. Throws `usage` where nothing is. */
export function knownSubject(catalog: Catalog, subject: string, what: string): string {
  if (catalog.subjects.known(subject)) return subject;
  if (catalog.relationships.hasDeparted(subject)) {
    throw new HoldfastError("usage", `all that the vault had of ${what} was purged at the end of its retention`, {
      hint: "The log shows what was there and when it was destroyed.",
    });
  }
  throw unknown(what);
}

/** Spellings that were tried beside the one given. */
const TRIED: Partial<Readonly<Record<Kind, string>>> = {
  identity: "without invisible characters, with plain hyphens and digits",
  email:
    "without invisible characters; with plain letters, digits and hyphens; without mailto:, a name or brackets around it; the domain in ASCII (xn--) and in Unicode",
  reference:
    "without invisible characters; with plain letters, digits, hyphens and blanks; as a document number also without separators",
};

function unknown(what: string, kind: Kind = "subject", value = ""): HoldfastError {
  const isLookup = kind === "email" || kind === "reference";
  const purged = isLookup ? ` Whoever was purged cannot be found by ${kind} any more: ask by --identity.` : "";
  const tried = TRIED[kind] === undefined ? "" : ` It was looked for as given, and ${TRIED[kind]}.`;
  return new HoldfastError("usage", `the vault has no one with ${what}${oddly(value)}`, {
    hint: `Check how it is written, and --client. What was never exported cannot be found.${purged}${tried}`,
  });
}
