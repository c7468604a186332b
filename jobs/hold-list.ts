import type { HeldCase } from "../src/catalog/holds.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, run } from "../src/cli/command.ts";
import { type ListFlags, listCommand, tableText } from "../src/cli/listing.ts";
import { minute, people, plural } from "../src/observe/format.ts";
import { oddly } from "../src/people/people.ts";
import { plainText } from "../src/record/spellings.ts";
import { openTokens, type Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openReading } from "../src/session/open-reading.ts";

interface Flags extends ListFlags {
  readonly case?: string;
}

export const holdListCommand = listCommand("list", "list the legal holds in effect, by case, the newest first", [
  "holdfast hold list",
  "holdfast hold list --case 'AZ 17/26'        whom this case holds",
  "holdfast hold list --json | jq '.clients[].cases[]'",
])
  .option("--case <number>", "only this case, as it was written when the hold was placed")
  .addHelpText(
    "after",
    `
Reads the log only, and changes nothing. The log has a token for each case and each person; the lookup key turns a case's
number into its token, and no key turns a token back. So keep the numbers where the cases are kept, and ask with --case.`,
  )
  .action((options: CommonOptions & Flags) =>
    run(options, async (session) => {
      await tellClients(session, "hold list", (onFailure) => listHolds(session, options, onFailure), {
        lines: (all) => all.flatMap((each) => holdsText(each, options)),
      });
    }),
  );

export interface HoldList {
  readonly client: string;
  /** People under a hold, each counted once. */
  readonly people: number;
  readonly cases: readonly HeldCase[];
}

/** The legal holds in effect, as the log says. Reads only, and runs beside an export. */
export async function listHolds(
  session: Session,
  { case: number }: Pick<Flags, "case">,
  onFailure?: (failure: ClientFailure) => void,
): Promise<HoldList[]> {
  return eachClient(
    session,
    async (config) => {
      await using reading = await openReading(config, session);
      const all = reading.catalog.holds.cases();
      const tokens = number === undefined ? undefined : await openTokens(config, reading.description);
      // As `hold release` finds a case: as it is written here, else in plain characters.
      const wanted = [number ?? "", plainText(number ?? "")].map((words) => tokens?.case(words));
      const token = wanted.find((each) => all.some((held) => held.case === each));
      const cases = tokens === undefined ? all : all.filter((held) => held.case === token);
      return { client: config.id, people: new Set(cases.flatMap(({ subjects }) => subjects)).size, cases };
    },
    onFailure,
  );
}

function holdsText({ client, cases, people: count }: HoldList, { case: number, all }: Flags): string[] {
  if (number !== undefined) {
    const [held] = cases;
    if (held === undefined) return [`${client}: no hold of that case is in effect${oddly(number)}`];
    const title = `${client}: that case holds ${people(count)} since ${minute(held.placed)} UTC`;
    return tableText(
      title,
      ["person (token)"],
      held.subjects.map((subject) => [subject]),
      { all },
    );
  }
  if (cases.length === 0) return [`${client}: no legal hold is in effect`];
  return tableText(
    `${client}: ${plural(cases.length, "case")} with a legal hold in effect, on ${people(count)}`,
    ["placed (UTC)", "people", "case (token)"],
    cases.map((held) => [minute(held.placed), String(held.subjects.length), held.case]),
    { all },
  );
}
