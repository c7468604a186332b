import type { Command } from "commander";
import type { Wanted } from "../people/people.ts";
import { listedPeople } from "../people/people-list.ts";
import { gather } from "./arguments.ts";

/** How someone is named, by every command that is about people. */
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
    .option("--identity <id>", "someone, by the provider's id; repeatable", gather, [])
    .option("--email <address>", "by e-mail, where lookups.fields has it; repeatable", gather, [])
    .option(
      "--reference <value>",
      "by your own reference, or a document number: any of lookups.fields but the e-mail; repeatable",
      gather,
      [],
    )
    .option("--subject <token>", "by the subject, as the log and verify name it; repeatable", gather, [])
    .option("--list <file>", "people in a file, one to a line: identity <id>, email <address>, reference …, subject …")
    .option("--all-matches", "take all of several people under one e-mail or reference", false);
}

/** Whoever is named on the command line, and in the list if there is one. */
export async function wanted({ identity, email, reference, subject, list, allMatches }: NamedFlags): Promise<Wanted> {
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
