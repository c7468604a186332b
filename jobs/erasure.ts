import { Command } from "commander";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { type NamedFlags, wanted, withNames } from "../src/cli/named.ts";
import { bytes, plural } from "../src/observe/format.ts";
import { departedBy, findPeople, type Kind, namesSomebody, onlyClient, type Wanted } from "../src/people/people.ts";
import { type Assessment, assess, type Destroyed } from "../src/retention/assessment.ts";
import { openTokens, type Session } from "../src/session/client.ts";
import { openReading } from "../src/session/open-reading.ts";

export const erasureCommand = new Command("erasure").description("requests for erasure, GDPR Art. 17").addCommand(
  withNames(
    command("assess", "what is held of someone, on which legal basis, until when: for the reply to a request", [
      "holdfast erasure assess --email someone@example.com",
      "holdfast erasure assess --reference C-10442 --json",
    ]),
  ).action((options: CommonOptions & NamedFlags) =>
    run(options, async (session) => {
      session.console.result({ command: "erasure assess", ...(await assessErasure(session, await wanted(options))) });
    }),
  ),
);

/** What an officer needs to reply to requests for erasure. Changes nothing, and decrypts nothing. */
export async function assessErasure(
  session: Session,
  options: Wanted,
): Promise<{ client: string; people: (Assessment | Destroyed)[] }> {
  const config = onlyClient(session, "an assessment");
  await using reading = await openReading(config, session);
  const { catalog, description } = reading;
  const finder = { catalog, tokens: await openTokens(config, description) };
  // The log is untrusted: an entry may say that nothing is left of someone, and name no object.
  const departed = (kind: Kind) => (value: string) =>
    departedBy(kind, value, config, finder).filter((subject) => catalog.purges.destroyed(subject) !== undefined);
  const gone = new Set([
    ...options.identities.flatMap(departed("identity")),
    ...options.subjects.flatMap(departed("subject")),
  ]);
  const left = {
    ...options,
    identities: options.identities.filter((id) => departed("identity")(id).length === 0),
    subjects: options.subjects.filter((subject) => departed("subject")(subject).length === 0),
  };
  const subjects = gone.size > 0 && !namesSomebody(left) && !left.range ? [] : findPeople(left, config, finder);
  const destroyed = [...gone].map((subject) => {
    const { time, run } = catalog.purges.destroyed(subject)!;
    return { subject, answer: "purged" as const, purged: time, run };
  });
  const held = subjects.map((subject) => assess(catalog, config, subject, session.now()));
  for (const each of destroyed) session.console.say(destroyedText(config.id, each));
  for (const each of held) session.console.say(assessmentText(config.id, each));
  return { client: config.id, people: [...destroyed, ...held] };
}

function destroyedText(client: string, { subject, purged, run }: Destroyed): string[] {
  return [
    `${client}: subject ${subject}`,
    `  held      nothing: all of it was destroyed on ${day(purged)}, by the purge ${run}`,
    `  proof     retention certificate --client ${client} --run ${run} --out <folder>`,
    "  answer    Reply that the data were kept for as long as the law asks, and were then destroyed.",
  ];
}

function assessmentText(client: string, of: Assessment): string[] {
  const law = of.legalBasis.length > 0 ? of.legalBasis.join("; ") : "none is named in the config";
  const kind = of.collect === "full" ? "full copies" : "yes and no answers only";
  return [
    `${client}: subject ${of.subject}`,
    `  held      ${plural(of.records, "version")}, ${plural(of.files, "file")}, ${bytes(of.bytes)}, stored ${day(of.first)} to ${day(of.last)}; ${kind}`,
    `  basis     ${law}`,
    ...Object.entries(of.clocks).map(([what, clock]) => `  keep      ${what}: ${clock}`),
    `  ended     ${of.ended ?? "not that Holdfast was told"}`,
    `  until     ${of.untilDay ?? "unknown while the relationship lasts"}`,
    `  locked    until ${day(of.lockedUntil)} in the store`,
    ...of.holds.map(({ case: token, placed }) => `  hold      since ${day(placed)}, case token ${token}`),
    `  answer    ${answerText(of)}`,
  ];
}

function answerText({ answer, untilDay, lockedUntil }: Assessment): string {
  switch (answer) {
    case "held":
      return "A legal hold stands: it must not be erased before every case has released it (GDPR Art. 17(3)(b), (e)).";
    case "kept":
      return `It must be kept ${untilDay ? `until ${untilDay}` : "while the relationship lasts, and for as long after it"}: the legal duty overrides erasure (GDPR Art. 17(3)(b)).`;
    case "locked":
      return `No one must keep it any more. The store still locks it, until ${day(lockedUntil)}; erase it then: retention purge.`;
    case "erasable":
      return "No one must keep it any more. Erase it: retention purge --confirm.";
  }
}

function day(time: string): string {
  return time.slice(0, 10);
}
