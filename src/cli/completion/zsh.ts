import { CLIENT_IDS, DEFAULT_CONFIG, everyCommand, type Flag, quoted, type Spelled, type Value } from "./spell.ts";

/** One function for each command, with zsh's own _arguments. */
export function zsh(program: Spelled): string {
  return `#compdef ${program.path[0]}
# zsh completion of holdfast, made by: holdfast completion zsh
_holdfast_clients() {
  local config=\${opt_args[--config]:-\${opt_args[-c]:-$(${DEFAULT_CONFIG})}}
  local -a ids
  ids=(\${(f)"$(sed -n ${quoted(CLIENT_IDS)} \${~config} 2>/dev/null)"})
  _describe client ids
}
${everyCommand(program).map(body).join("\n")}
if [[ $funcstack[1] == _holdfast ]]; then _holdfast "$@"; else compdef _holdfast ${program.path[0]}; fi
`;
}

const nameOf = ({ path }: Spelled): string => `_${path.join("_")}`;

function body(command: Spelled): string {
  const flags = command.flags.map(argument);
  if (command.commands.length === 0) {
    const rest = command.argument ? [quoted(`*: :${action(command.argument)}`)] : [];
    return `${nameOf(command)}() {\n  _arguments ${[...flags, ...rest].join(" \\\n    ")}\n}`;
  }
  const names = command.commands.map(({ path, description }) =>
    quoted(`${path.at(-1)}:${firstLine(description).replaceAll(":", "\\:")}`),
  );
  const cases = command.commands.map((each) => `    ${each.path.at(-1)}) ${nameOf(each)} ;;`);
  return `${nameOf(command)}() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C ${[...flags, "'1: :->command'", "'*:: :->rest'"].join(" \\\n    ")}
  case $state in
  command)
    local -a commands
    commands=(${names.join(" \\\n      ")})
    _describe command commands
    ;;
  rest)
    case $words[1] in
${cases.join("\n")}
    esac
    ;;
  esac
}`;
}

/** In the syntax of _arguments: `'*'{-c,--config}'[words]:what:how'`. The star allows an option to repeat. */
function argument({ spellings, description, value }: Flag): string {
  const words = `[${firstLine(description).replaceAll(/[[\]:\\]/g, "\\$&")}]`;
  const flags = spellings.length > 1 ? `{${spellings.join(",")}}` : spellings[0]!;
  return value === undefined
    ? `${quoted(`(${spellings.join(" ")})`)}${flags}${quoted(words)}`
    : `'*'${flags}${quoted(`${words}: :${action(value)}`)}`;
}

function action(value: Value): string {
  switch (value.kind) {
    case "file":
      return "_files";
    case "client":
      return "_holdfast_clients";
    case "choice":
      return `(${value.of.join(" ")})`;
    case "other":
      return " ";
  }
}

const firstLine = (text: string): string => text.split("\n")[0]!;
