import { resolve } from "node:path";
import { Command } from "commander";
import { numberOf } from "../src/certificate/certificate.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { type NamedFlags, namedPeople, withNames } from "../src/cli/named.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/core/error.ts";
import { createFile } from "../src/io/new-file.ts";
import { letterPage, type Unknown } from "../src/letter/letter-page.ts";
import { bytes, capital, plural } from "../src/observe/format.ts";
import { sourceOf, tellWhom } from "../src/people/customer.ts";
import {
  departedBy,
  findPeople,
  isUnknown,
  type Kind,
  namesSomebody,
  onlyClient,
  type Wanted,
} from "../src/people/people.ts";
import { certificateCommand, type Destructions, destroyedText } from "../src/people/purged.ts";
import { isProviderKind, PROVIDERS } from "../src/provider/provider.ts";
import { clockAfter } from "../src/report/policy-text.ts";
import { type Assessment, assess, type Destroyed } from "../src/retention/assessment.ts";
import { policyOf } from "../src/retention/policy.ts";
import { openTokens, type Session } from "../src/session/client.ts";
import { openReading } from "../src/session/open-reading.ts";

export const erasureCommand = new Command("erasure").description("requests for erasure, GDPR Art. 17").addCommand(
  withNames(
    command(
      "assess",
      "what Holdfast keeps about a person, on which legal basis and until when, for the reply to a request",
      [
        "holdfast erasure assess --email someone@example.com",
        "holdfast erasure assess --reference C-10442 --json",
        "holdfast erasure assess --email someone@example.com --out letter.html",
      ],
    ),
  )
    .option("--out <file>", "the reply as a letter, to complete and send; must not exist yet")
    .action((options: CommonOptions & NamedFlags & { readonly out?: string }) =>
      run(options, async (session) => {
        const { out } = options;
        const toUnknown = async () => {
          if (out !== undefined) await writeLetter(session, [{ answer: "unknown" }], out);
        };
        const { isOneCustomer, ...assessed } = await assessErasure(session, await namedPeople(options), toUnknown);
        if (out !== undefined) await writeLetter(session, assessed.people, out, isOneCustomer);
        session.console.result({ command: "erasure assess", ...assessed });
      }),
    ),
);

/** What is kept of one verification, and the name of its source. */
export interface Assessed extends Assessment {
  readonly source: string;
}

/**
 * A draft of the reply to one person. Throws `usage` for several, and for a file that is there.
 * @param isOneCustomer they are verifications of one person, by several providers
 */
export async function writeLetter(
  session: Session,
  people: readonly (Assessed | Destroyed | Unknown)[],
  out: string,
  isOneCustomer = false,
): Promise<void> {
  const config = onlyClient(session, "a letter");
  if (people.length !== 1 && !isOneCustomer) {
    throw new HoldfastError("usage", `a letter is for one person, and these are ${people.length} verifications`, {
      hint: "Run it once for each, with --subject and an --out of its own. If one customer has all of them, name the customer by --email or --reference alone.",
    });
  }
  const { id, company, retention, vault } = config;
  const policy = policyOf(retention, vault.lock);
  const letter = letterPage({
    name: company?.name ?? id,
    contact: company?.contact,
    of: people.map((of) => ({
      of,
      by: "source" in of ? providerName(config, of.source) : undefined,
      certificate: of.answer === "purged" ? numberOf({ client: id, runs: [...of.runs] }) : undefined,
    })),
    clocks: [policy.identifying, policy.verification, policy.files].filter((clock) => clock !== undefined),
    today: session
      .now()
      .toZonedDateTimeISO(retention.timezone ?? "UTC")
      .toPlainDate()
      .toString(),
  });
  await createFile(out, letter);
  session.console.say(`${resolve(out)} is ready: open it in a browser, complete it and print it`);
}

/**
 * What an officer needs to reply to requests for erasure. Changes nothing, and decrypts nothing. Throws `usage` for an
 * unknown person.
 * @param onUnknown called before it throws, if no detail that names the person is known
 */
export async function assessErasure(
  session: Session,
  options: Wanted,
  onUnknown?: () => Promise<void>,
): Promise<{ client: string; people: (Assessed | Destroyed)[]; isOneCustomer: boolean }> {
  const config = onlyClient(session, "an assessment");
  await using reading = await openReading(config, session);
  const { catalog, description } = reading;
  const finder = { catalog, tokens: await openTokens(config, description) };
  if (isUnknown(options, config, finder)) await onUnknown?.();
  const departed = (kind: Kind) => (value: string) =>
    departedBy(kind, value, config, finder).filter((subject) => catalog.purges.destroyed(subject).length > 0);
  const gone = new Set([
    ...options.identities.flatMap(departed("identity")),
    ...options.subjects.flatMap(departed("subject")),
  ]);
  const left = {
    ...options,
    identities: options.identities.filter((id) => departed("identity")(id).length === 0),
    subjects: options.subjects.filter((subject) => departed("subject")(subject).length === 0),
  };
  const telling = tellWhom(session, config, "assess");
  const customers: (readonly string[])[] = [];
  const subjects =
    gone.size > 0 && !namesSomebody(left) && !left.range
      ? []
      : findPeople(left, config, finder, {
          ...telling,
          onCustomer: (sources) => {
            customers.push(sources);
            telling.onCustomer(sources);
          },
        });
  const destroyed = [...gone].map((subject): Destroyed => {
    const by = catalog.purges.destroyed(subject);
    session.console.say(purgedText(config.id, subject, by));
    return { subject, answer: "purged", purged: by.at(-1)!.time, runs: by.map(({ run }) => run) };
  });
  const held = subjects.map(
    (subject): Assessed => ({
      ...assess(catalog, config, subject, session.now()),
      source: sourceOf(catalog, subject),
    }),
  );
  for (const each of held) session.console.say(assessmentText(config.id, each));
  const people = [...destroyed, ...held];
  // Each of the customer's is of another source, and nothing else is there.
  const isOneCustomer = customers.length > 0 && customers.every((sources) => sources.length === people.length);
  return { client: config.id, people, isOneCustomer };
}

/** As people call it; a source that the config no longer has, by its name. */
function providerName({ sources }: ClientConfig, source: string): string {
  const kind = sources.find(({ name }) => name === source)?.kind ?? source;
  return isProviderKind(kind) ? PROVIDERS[kind].name : source;
}

function purgedText(client: string, subject: string, by: Destructions): string[] {
  return [
    `${client}: subject ${subject}`,
    `  Held: nothing. All of it was ${destroyedText(by)}.`,
    `  Certificate: run \`${certificateCommand(client, by)}\`.`,
    "  Answer: the data were kept for as long as the law requires, and were then destroyed.",
  ];
}

function assessmentText(client: string, of: Assessment): string[] {
  const law = of.legalBasis.length > 0 ? of.legalBasis.join("; ") : "the config names none";
  const kind = of.collect === "full" ? "full copies" : "yes and no answers only";
  return [
    `${client}: subject ${of.subject}`,
    `  Held: ${plural(of.records, "version")}, ${plural(of.files, "file")}, ${bytes(of.bytes)}, stored ${day(of.first)} to ${day(of.last)}; ${kind}`,
    `  Legal basis: ${law}`,
    ...Object.entries(of.clocks).map(([what, clock]) => `  ${capital(what)}: ${clockAfter(clock)}`),
    `  Relationship end: ${of.ended ?? "not recorded"}`,
    `  Keep until: ${of.untilDay ?? "not known yet"}`,
    `  Locked in the store until: ${day(of.lockedUntil)}`,
    ...of.holds.map(({ case: token, placed }) => `  Legal hold: since ${day(placed)}, case token ${token}`),
    `  Answer: ${answerText(of)}`,
  ];
}

function answerText({ answer, untilDay, lockedUntil, legalBasis }: Assessment): string {
  switch (answer) {
    case "held":
      return "a legal hold is in effect. The records must not be erased until every case has released them (GDPR Art. 17(3)(b), (e)).";
    case "kept": {
      const time = untilDay ? `until ${untilDay}` : "while the relationship lasts, and for the periods above after it";
      return legalBasis.length > 0
        ? `the law requires these records ${time}, so they cannot be erased yet (GDPR Art. 17(3)(b)).`
        : `the config keeps these records ${time}, and names no legal basis. Check whether one overrides the request (GDPR Art. 17(3)).`;
    }
    case "locked":
      return `no duty to keep these records remains. The store locks them until ${day(lockedUntil)}; then run \`holdfast retention purge\`.`;
    case "erasable":
      return "no duty to keep these records remains. To delete them run `holdfast retention purge --confirm --out <folder>`.";
  }
}

function day(time: string): string {
  return time.slice(0, 10);
}
