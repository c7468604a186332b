import { randomBytes } from "node:crypto";
import type { Catalog } from "../src/catalog/catalog.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/error.ts";
import { type Prepared, prepareBag, type Versions } from "../src/evidence/bag/prepare.ts";
import { MAX_WORDS, type Request } from "../src/evidence/bag/retrieval.ts";
import { bytes, number, plural } from "../src/observe/figures.ts";
import type { Tokens } from "../src/record/tokens.ts";
import type { Session } from "./client.ts";
import { withLog } from "./log.ts";

/** How people are named on the command line. */
export interface Wanted {
  readonly identities: readonly string[];
  readonly emails: readonly string[];
  /** By any of the client's own lookups: `metadata.*`. */
  readonly references: readonly string[];
  readonly subjects: readonly string[];
  /** When the provider made a version; the end is not in it. */
  readonly range?: { readonly from: Temporal.Instant; readonly to: Temporal.Instant } | undefined;
}

export interface RetrieveOptions extends Wanted, Request {
  readonly versions: Versions;
  readonly out: string;
  /** Several people under one e-mail or reference are all meant. */
  readonly allMatches: boolean;
}

/** People that one retrieval may be about. */
const MOST = 50_000;

/** Makes a sealed bag of what the vault has of these people. Decrypts nothing, and needs no key that could. */
export async function retrieve(session: Session, options: RetrieveOptions): Promise<Prepared> {
  const { clients, console, signal } = session;
  const [config, ...others] = clients;
  if (config === undefined || others.length > 0) {
    throw new HoldfastError("usage", "a retrieval is about one client, and the config has several", {
      mend: "Add --client <id>.",
    });
  }
  for (const words of [options.case, options.requestedBy, options.reason]) {
    if (words.trim() !== "" && words.length <= MAX_WORDS) continue;
    throw new HoldfastError("usage", `--case, --requested-by and --reason take 1 to ${number(MAX_WORDS)} characters`, {
      mend: "Say in short who asked and why; the auditor reads it.",
    });
  }
  return withLog(config, session, { job: "retrieve" }, async ({ tokens, catalog, writer, ...held }) => {
    const subjects = find(options, config, tokens, catalog);
    const now = held.now();
    const run = `${now.toString({ smallestUnit: "second" }).replace(/[-:]/g, "")}-${randomBytes(3).toString("hex")}`;
    const progress = console.progress(`${config.id}: records`);
    try {
      const prepared = await prepareBag({
        ...{ client: config.id, ...held, writer, catalog, signal, run, subjects },
        ...{ versions: options.versions, out: options.out, onObject: progress.update },
        request: { case: options.case, requestedBy: options.requestedBy, reason: options.reason },
      });
      progress.end();
      console.say(preparedText(prepared));
      return prepared;
    } finally {
      progress.end();
    }
  });
}

/** Throws `usage` for whoever the vault does not have, and for a lookup that finds more than one. */
function find(options: RetrieveOptions, config: ClientConfig, tokens: Tokens, catalog: Catalog): string[] {
  const found = new Set<string>();
  for (const id of options.identities) found.add(one(catalog, tokens.subject(config.source.kind, id), "that identity"));
  for (const subject of options.subjects) found.add(one(catalog, subject, `subject ${subject}`));
  const fields = config.lookups.fields.filter((field) => field.startsWith("metadata."));
  const byLookup = (names: readonly string[], value: string, what: string): void => {
    if (names.length === 0) {
      throw new HoldfastError("usage", `nobody of ${config.id} can be found by ${what}: no such lookup is configured`, {
        mend: `lookups.fields has: ${config.lookups.fields.join(", ") || "none"}. Name them by --identity or --subject.`,
      });
    }
    const subjects = [...new Set(names.flatMap((name) => catalog.find(name, tokens.lookup(name, value))))];
    if (subjects.length === 0) throw unknown(`that ${what}`);
    if (subjects.length > 1 && !options.allMatches) {
      throw new HoldfastError("usage", `${subjects.length} people have that ${what}: ${subjects.join(", ")}`, {
        mend: "Name the one you mean with --subject, or all with --all-matches.",
      });
    }
    for (const subject of subjects) found.add(subject);
  };
  for (const email of options.emails)
    byLookup(
      config.lookups.fields.filter((f) => f === "email"),
      email,
      "e-mail",
    );
  for (const reference of options.references) byLookup(fields, reference, "reference");
  if (options.range) {
    const [from, to] = [options.range.from, options.range.to].map((at) => at.toString({ smallestUnit: "second" }));
    const subjects = catalog.updatedIn(from!, to!, MOST + 1);
    if (subjects.length === 0) throw unknown("a version of that time");
    for (const subject of subjects) found.add(subject);
  }
  if (found.size === 0) {
    throw new HoldfastError("usage", "nobody is named", {
      mend: "Add --identity, --email, --reference, --subject or --all-in-range.",
    });
  }
  if (found.size > MOST) {
    throw new HoldfastError("usage", `those are more than ${number(MOST)} people`, {
      mend: "Ask for a part of the time at once.",
    });
  }
  return [...found].sort();
}

function one(catalog: Catalog, subject: string, what: string): string {
  if (catalog.known(subject)) return subject;
  throw unknown(what);
}

function unknown(what: string): HoldfastError {
  return new HoldfastError("usage", `the vault has nobody with ${what}`, {
    mend: "Check how it is written, and --client. What was never exported cannot be retrieved.",
  });
}

function preparedText({ client, out, subjects, records, files, bytes: size }: Prepared): string {
  return [
    `${client}: ${out} is ready`,
    `  holds     ${plural(subjects, "person").replace("persons", "people")}, ${plural(records, "record")}, ${plural(files, "file")}; ${bytes(size)}, all sealed`,
    "  proves    what the audit log says of them, this retrieval included",
    "  next      hand it over; README.txt in it says how to check and open it",
  ].join("\n");
}
