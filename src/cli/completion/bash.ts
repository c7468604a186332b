import { CLIENT_IDS, DEFAULT_CONFIG, everyCommand, quoted, type Spelled, type Value } from "./spell.ts";

/** For bash 4 or later. Finds the command of a line word by word; two tables then say what may follow. */
export function bash(program: Spelled): string {
  const all = everyCommand(program);
  const key = ({ path }: Spelled): string => path.slice(1).join(" ");
  const commands = all.slice(1).map((each) => quoted(key(each)));
  const values = all.flatMap((each) =>
    each.flags.flatMap(({ spellings, value }) =>
      value === undefined
        ? []
        : [`    ${spellings.map((flag) => quoted(`${key(each)}|${flag}`)).join("|")}) ${offer(value)}; return ;;`],
    ),
  );
  const words = all.map((each) => {
    const flags = each.flags.flatMap(({ spellings }) => spellings);
    const names = each.commands.map(({ path }) => path.at(-1)!);
    const argument = each.argument ? `[[ $current == -* ]] || { ${offer(each.argument)}; return; }; ` : "";
    return `    ${quoted(key(each))}) ${argument}_holdfast_words ${quoted([...names, ...flags].join(" "))} ;;`;
  });
  return `# bash completion of holdfast, made by: holdfast completion bash
_holdfast_words() { COMPREPLY=($(compgen -W "$1" -- "$current")); }
_holdfast_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
_holdfast_clients() {
  local config=$(${DEFAULT_CONFIG}) i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in -c | --config) config=\${COMP_WORDS[i + 1]/#\\~/$HOME} ;; esac
  done
  _holdfast_words "$(sed -n ${quoted(CLIENT_IDS)} "$config" 2>/dev/null)"
}
_holdfast() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${command:+$command }\${COMP_WORDS[i]}" in
    ${commands.join(" | ")}) command="\${command:+$command }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$command|$previous" in
${values.join("\n")}
  esac
  case $command in
${words.join("\n")}
  esac
}
complete -F _holdfast ${program.path[0]}
`;
}

function offer(value: Value): string {
  switch (value.kind) {
    case "file":
      return "_holdfast_files";
    case "client":
      return "_holdfast_clients";
    case "choice":
      return `_holdfast_words ${quoted(value.of.join(" "))}`;
    case "other":
      return ":";
  }
}
