import { CLIENT_IDS, DEFAULT_CONFIG, everyCommand, type Flag, quoted, type Spelled, type Value } from "./spell.ts";

/** One line for each word that can be completed, with its condition. */
export function fish(program: Spelled): string {
  const complete = `complete -c ${program.path[0]}`;
  const lines = everyCommand(program).flatMap((command) => [
    ...command.commands.map(
      (each) =>
        `${complete} -n ${when(command, true)} -a ${each.path.at(-1)} -d ${escaped(each.description.split("\n")[0]!)}`,
    ),
    ...command.flags.map((flag) => `${complete} -n ${when(command, command.commands.length > 0)} ${option(flag)}`),
    ...(command.argument ? [`${complete} -n ${when(command, false)} ${argument(command.argument)}`] : []),
  ]);
  return `# fish completion of holdfast, made by: holdfast completion fish
function __holdfast_clients
  set -l config (${DEFAULT_CONFIG})
  set -l words (commandline -opc)
  for at in (seq (count $words))
    contains -- $words[$at] -c --config; and set config $words[(math $at + 1)]
  end
  sed -n ${escaped(CLIENT_IDS)} $config 2>/dev/null
end
${complete} -f
${lines.join("\n")}
`;
}

/** The condition that the line is about this command and, if it has subcommands, about none of them. */
function when({ path, commands }: Spelled, itself: boolean): string {
  const seen = path.slice(1).map((name) => `__fish_seen_subcommand_from ${name}`);
  const inner = commands.map((each) => each.path.at(-1)).join(" ");
  return escaped([...seen, ...(itself ? [`not __fish_seen_subcommand_from ${inner}`] : [])].join("; and "));
}

function option({ spellings, description, value }: Flag): string {
  const names = spellings.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [...names, ...(value ? [argument(value)] : []), "-d", escaped(description.split("\n")[0]!)].join(" ");
}

function argument(value: Value): string {
  switch (value.kind) {
    case "file":
      return "-r -F";
    case "client":
      return "-x -a '(__holdfast_clients)'";
    case "choice":
      return `-x -a ${quoted(value.of.join(" "))}`;
    case "other":
      return "-x";
  }
}

/** fish has its own quoting rules. */
const escaped = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
