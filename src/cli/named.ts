import type { Command } from "commander";
import type { Wanted } from "../people/people.ts";
import { listedPeople } from "../people/people-list.ts";
import { collectValues } from "./arguments.ts";

/** The flags that name people, the same for every command about people. */
export interface NamedFlags {
  readonly identity: string[];
  readonly email: string[];
  readonly reference: string[];
  readonly subject: string[];
  readonly list?: string;
  readonly allMatches: boolean;
}

export function withNames(command: Command): Command {
  return command
    .option(
      "--identity <id>",
      "a person, by the provider's id, or persona:<id> to say whose id it is; repeatable",
      collectValues,
      [],
    )
    .option("--email <address>", "by e-mail address, if lookups.fields includes it; repeatable", collectValues, [])
    .option(
      "--reference <value>",
      "by your own reference or a document number: any of lookups.fields except the e-mail; repeatable",
      collectValues,
      [],
    )
    .option("--subject <token>", "by the token that the log and verify show; repeatable", collectValues, [])
    .option("--list <file>", "a file of people, one per line: identity <id>, email <address>, reference …, subject …")
    .option("--all-matches", "if one e-mail or reference matches several people, take them all", false);
}

/** The people named on the command line and in the list, if there is one. */
export async function namedPeople({
  identity,
  email,
  reference,
  subject,
  list,
  allMatches,
}: NamedFlags): Promise<Wanted> {
  const listed = list === undefined ? [] : await listedPeople(list);
  const of = (kind: string, more: readonly string[]) => [
    ...more,
    ...listed.filter((each) => each.kind === kind).map(({ value }) => value),
  ];
  return {
    identities: of("identity", identity),
    emails: of("email", email),
    allMatches,
    references: of("reference", reference),
    subjects: of("subject", subject),
  };
}
