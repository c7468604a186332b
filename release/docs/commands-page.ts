import type { Command, Option } from "commander";
import { programFor } from "../../jobs/program.ts";
import { helpOf, leaves, pathOf } from "./help.ts";
import { anchor, code, fence, prose, table } from "./markdown.ts";

const HEAD = `# Commands

<!-- Made by \`npm run docs\` from what \`holdfast --help\` says (jobs/). Do not edit it here. -->

\`holdfast <command> --help\` shows the same. In the folder of a checkout, \`npx holdfast <command>\` runs it.

- **Output.** Text for people goes to stderr; on a terminal it has colour and a progress line, and is wrapped to its width.
  \`--color auto|always|never\` decides on colour; \`auto\` follows \`NO_COLOR\` and \`FORCE_COLOR\`. \`--log-format json\` writes JSON
  lines instead ([MONITORING.md](MONITORING.md), "Logs"). \`--json\` prints one JSON object on stdout.
- **Several clients.** One client's failure does not stop the others. \`--json\` has the results under \`clients\` and the
  failures under \`failures\`. The exit code is that of the most serious failure, in this order: 4, 1, 2, 5, 130, 3.`;

/** A page wraps its own lines. */
const WIDE = 1_000;

/** Every command: what it does, its options, its examples; the exit codes. */
export async function commandsPage(): Promise<string> {
  const program = await programFor("");
  const all = leaves(program);
  const common = commonOptions(all);
  const whole = helpOf(program, WIDE);
  const codes = [...whole.matchAll(/^ {2}(\d+) +(.+)$/gm)].map(([, number = "", says = ""]) => [number, says]);
  return [
    HEAD,
    table(
      ["command", "does"],
      all.map((each) => [`[\`${pathOf(each)}\`](#${anchor(headingOf(each))})`, prose(each.description())]),
    ),
    "## Exit codes",
    table(["code", "means"], codes),
    "Treat any other code as a failure.",
    "## Common options",
    optionTable([...common.values()]),
    ...all.flatMap((each) => commandText(each, common)),
    "",
  ].join("\n\n");
}

/** Those that most commands take with the same words. */
function commonOptions(all: readonly Command[]): Map<string, Option> {
  const met = Map.groupBy(
    all.flatMap(({ options }) => options),
    ({ flags, description }) => `${flags}\0${description}`,
  );
  return new Map([...met].filter(([, those]) => those.length > all.length / 2).map(([key, [one]]) => [key, one!]));
}

function commandText(each: Command, common: ReadonlyMap<string, Option>): string[] {
  const shared = each.options.filter((one) => common.has(`${one.flags}\0${one.description}`));
  const own = each.options.filter((one) => !shared.includes(one));
  const these = shared.length === common.size ? "" : `: ${shared.map(({ long }) => code(long ?? "")).join(", ")}`;
  const link = "[common options](#common-options)";
  return [
    `## ${headingOf(each)}`,
    `${prose(sentence(each.description()))}`,
    fence(`${pathOf(each)} ${each.usage()}`, "text"),
    ...(own.length > 0 ? [optionTable(own)] : []),
    ...(shared.length > 0 ? [own.length > 0 ? `Also the ${link}${these}.` : `Options: the ${link}${these}.`] : []),
    ...after(helpOf(each, WIDE)),
  ];
}

/** What a help says behind its options: indented lines are what one types, the rest is prose. */
function after(help: string): string[] {
  const [, text = ""] = help.split("\nExamples:\n");
  const blocks: string[] = [];
  for (const [isCode, lines] of runs(text.trimEnd().split("\n"))) {
    blocks.push(
      isCode ? fence(lines.map(asShell).join("\n"), isTyped(lines) ? "sh" : "text") : prose(lines.join("\n")),
    );
  }
  return ["Examples:", ...blocks];
}

/** A table of words and what they mean is indented too. */
function isTyped([first = ""]: readonly string[]): boolean {
  return /^ {2}(holdfast|ssh-keygen|age|openssl|sudo|docker|kubectl) /.test(first);
}

/** A help has its remarks some blanks behind a command. */
function asShell(line: string): string {
  return line.slice(2).replace(/^(holdfast .*?\S) {2,}(\S.*)$/, "$1   # $2");
}

function runs(lines: readonly string[]): [boolean, string[]][] {
  const found: [boolean, string[]][] = [];
  for (const line of lines) {
    const last = found.at(-1);
    const isCode = line.startsWith("  ");
    if (line === "") {
      if (last && last[1].length > 0) found.push([false, []]);
    } else if (last && (last[0] === isCode || last[1].length === 0)) {
      last[0] = isCode;
      last[1].push(line);
    } else found.push([isCode, [line]]);
  }
  return found.filter(([, those]) => those.length > 0);
}

function optionTable(options: readonly Option[]): string {
  return table(
    ["option", "does"],
    options.map((option) => [code(option.flags), described(option)]),
  );
}

function described({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const plain = defaultValue === undefined || defaultValue === false || Array.isArray(defaultValue);
  return [
    prose(description.replace(/\.$/, "")),
    ...(argChoices ? [`one of ${argChoices.map(code).join(", ")}`] : []),
    ...(plain ? [] : [`default ${code(defaultValueDescription ?? String(defaultValue))}`]),
  ].join("; ");
}

const headingOf = (command: Command): string => code(pathOf(command));

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
