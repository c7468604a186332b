import { access, constants, lstat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import { collectValues } from "../src/cli/arguments.ts";
import { withoutConfig } from "../src/cli/command.ts";
import { Interview, isSomebodyThere } from "../src/cli/interview.ts";
import { nextSteps } from "../src/cli/next-steps.ts";
import { type OutputOptions, withOutput } from "../src/cli/output.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { type AnsweredQuestions, type Ask, answerAll } from "../src/config/first-answers.ts";
import type { ConfigPlace } from "../src/config/first-checks.ts";
import type { AnswerName, ConfigAnswers } from "../src/config/first-config.ts";
import { firstConfig } from "../src/config/first-config.ts";
import { QUESTIONS, type Question } from "../src/config/first-questions.ts";
import { parseConfig } from "../src/config/load.ts";
import { HoldfastError } from "../src/core/error.ts";
import { readBounded } from "../src/io/bounded-file.ts";
import { fileError, writingFile } from "../src/io/file-error.ts";
import { noFile } from "../src/io/is-there.ts";
import { createFile, pathTaken } from "../src/io/new-file.ts";

/** The flags, under commander's names. */
type Flags = Readonly<Partial<Record<Exclude<AnswerName, "recipients">, string>>> & {
  readonly recipient: string[];
  readonly recipientsFile?: string;
};

interface NewOptions extends OutputOptions {
  readonly out: string;
  readonly json: boolean;
}

export const newCommand = new Command("new")
  .description("write a first config: asks on a terminal, or takes each answer from a flag; creates no secrets")
  .option("--out <file>", "the config to write; must not exist yet", "holdfast.yaml")
  .option("--json", "print one JSON object on stdout, and do not ask", false);
for (const { name, flag, says, choices } of QUESTIONS) {
  const option = new Option(flag, says[0]);
  // Shells offer the choices. An invalid value is reported like other errors, and not repeated, as it may be a secret.
  if (choices) option.choices(choices).argParser((text: string) => text);
  if (name === "recipients") option.default([]).argParser(collectValues).description = `${says[0]} Repeatable.`;
  newCommand.addOption(option);
  if (name === "recipients")
    newCommand.option("--recipients-file <file>", "a file of public age keys, one per line; # starts a comment");
}
withOutput(newCommand)
  .addHelpText(
    "after",
    `
Examples:
  holdfast new                                        ask, and explain each question
  holdfast new --out /etc/holdfast/holdfast.yaml      for this machine's service
  holdfast new --client acme-bank --provider persona --origin acme-bank.com/holdfast --vault s3://acme-kyc/holdfast \\
    --region eu-central-1 --recipient age1… --recipient age1… --law eu-amlr

It does not ask what a flag answers. Without a terminal, every answer comes from a flag or is the default.

It writes one file of some forty lines, with a comment on each field, which only you can read (mode 0600). It checks the
config first, as every command does. It creates no keys and no secrets: init creates the lookup key and the log key, and
holdfast keygen the age keys of the people who may open records. It never overwrites a file.`,
  )
  .action(({ out, json, color, logFormat, logLevel, ...flags }: Flags & NewOptions) =>
    withoutConfig({ json, quiet: false, color, logFormat, logLevel }, async (console) => {
      await refuseOut(out);
      const place: ConfigPlace = { folder: dirname(resolve(out)), isRoot: process.geteuid?.() === 0 };
      const answers = await answersOf(flags, place, !json && isSomebodyThere());
      const text = firstConfig(answers);
      // Check the config as commands will read it, for errors that no question found.
      const { clients } = await parseConfig(text, out);
      const [client] = clients as [ClientConfig];
      await createFile(out, text);
      if (client.recipients.strings.length === 1) {
        console.log.warn("only one recipient: if its private key is lost, so is every record; use at least two", {
          client: client.id,
        });
      }
      console.result({ command: "new", file: out, client: client.id }, [
        `${out} is written. Next:`,
        ...nextSteps(out, client, place.isRoot).map((text) => ({ text, whole: true }) as const),
      ]);
    }),
  );

/** Runs first, so that no one answers a dozen questions for nothing. */
async function refuseOut(out: string): Promise<void> {
  if (out === "-") {
    throw new HoldfastError("usage", "new writes the config to a file, not to stdout", {
      hint: "Name a file with --out.",
    });
  }
  // Not `stat`: a symbolic link is in the way even if its target is missing.
  if (await writingFile(out, () => lstat(out).catch(noFile))) throw pathTaken(out);
  await writingFile(out, () => access(dirname(resolve(out)), constants.W_OK | constants.X_OK));
}

async function answersOf(
  { recipient, recipientsFile, ...flags }: Flags,
  place: ConfigPlace,
  asks: boolean,
): Promise<ConfigAnswers> {
  const listed = recipientsFile === undefined ? [] : await recipientsIn(recipientsFile);
  const recipients = [...recipient, ...listed];
  const given = { ...flags, ...(recipients.length > 0 ? { recipients: recipients.join(" ") } : {}) };
  const first = await answerAll(given, place);
  // An invalid flag is an error before the first question; questions fill in what is missing.
  if (asks && first.problems.every(({ question: { name } }) => given[name] === undefined)) {
    const { answers, problems } = await interview(given, place);
    refuseProblems(problems, []);
    return answers;
  }
  refuseProblems(first.problems, first.missing);
  return first.answers;
}

async function interview(given: ConfigAnswers, place: ConfigPlace): Promise<AnsweredQuestions> {
  using person = new Interview("written");
  person.say([
    "This writes a first config. Press Enter to accept the answer in [brackets].",
    "Nothing is written before the last answer. Press Ctrl-C to quit.",
    "You can change an answer in the file later, unless its question says otherwise.",
  ]);
  const ask: Ask = async ({ prompt, says, again }, byDefault, check) => {
    let answer = await person.ask({ prompt, says, byDefault, check });
    for (let first = true; again; first = false) {
      const before = answer;
      const more = await person.ask({
        prompt: again.prompt,
        says: first ? again.says : [],
        byDefault: "",
        check: (text) => check(`${before} ${text}`),
      });
      if (more === "") break;
      answer = `${before} ${more}`;
    }
    return answer;
  };
  return await answerAll(given, place, ask);
}

/** Reports all problems at once, so that a script needs only one correction. */
function refuseProblems(problems: AnsweredQuestions["problems"], missing: readonly Question[]): void {
  if (problems.length + missing.length === 0) return;
  const lines = problems.map(({ question, error }) => {
    const why = error ? `${error.message}; ${error.hint}` : `applies only to ${question.onlyFor?.what}; leave it out`;
    return `${nameOf(question)}: ${why}`;
  });
  if (missing.length > 0) lines.push(`missing: ${missing.map(({ flag }) => flag).join(", ")}`);
  throw new HoldfastError("usage", lines, {
    hint:
      missing.length > 0
        ? "Add these flags, or run it on a terminal, where it asks. holdfast new --help explains each."
        : "holdfast new --help explains each flag.",
  });
}

const nameOf = ({ flag }: Question): string => flag.split(" ")[0]!;

/** The largest list of keys: a post-quantum key has some 2,000 characters. */
const MAX_BYTES = 256 * 1024;

async function recipientsIn(file: string): Promise<string[]> {
  const { bytes } = await readBounded(file, MAX_BYTES).catch((cause: unknown) => {
    throw fileError(cause, file, "read");
  });
  const keys = (bytes?.toString("utf8") ?? "").split(/\r?\n/).map((line) => line.trim());
  const found = keys.filter((key) => key !== "" && !key.startsWith("#"));
  if (found.length > 0) return found;
  throw new HoldfastError("usage", `${file} contains no public key`, {
    hint: "Use a file with one key (age1…) per line.",
  });
}
