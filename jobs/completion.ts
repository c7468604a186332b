import { Argument, Command } from "commander";
import { bash } from "../src/cli/completion/bash.ts";
import { fish } from "../src/cli/completion/fish.ts";
import { spell } from "../src/cli/completion/spell.ts";
import { zsh } from "../src/cli/completion/zsh.ts";

const SHELLS = { bash, zsh, fish };

export const completionCommand = new Command("completion")
  .description("print a script that completes commands, options, files and clients in your shell")
  .addArgument(new Argument("<shell>", "the shell it is for").choices(Object.keys(SHELLS)))
  .addHelpText(
    "after",
    `
Examples:
  holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast
  holdfast completion zsh > "\${fpath[1]}/_holdfast"
  holdfast completion fish > ~/.config/fish/completions/holdfast.fish

Clients are read off the config file that the line names, or the one that a command would take without it. Print it again after an update.`,
  )
  .action((shell: keyof typeof SHELLS, _options: unknown, command: Command) => {
    process.stdout.write(SHELLS[shell](spell(command.parent!)));
  });
