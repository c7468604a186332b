import { Argument, Command } from "commander";
import { bash } from "../src/cli/completion/bash.ts";
import { fish } from "../src/cli/completion/fish.ts";
import { spell } from "../src/cli/completion/spell.ts";
import { zsh } from "../src/cli/completion/zsh.ts";

const SHELLS = { bash, zsh, fish };

export const completionCommand = new Command("completion")
  .description("print a shell script that completes commands, options, files and clients")
  .addArgument(new Argument("<shell>", "your shell").choices(Object.keys(SHELLS)))
  .addHelpText(
    "after",
    `
Examples:
  holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast
  holdfast completion zsh > "\${fpath[1]}/_holdfast"
  holdfast completion fish > ~/.config/fish/completions/holdfast.fish

It reads client ids from the config named on the command line, or from the default config. Print it again after an update.`,
  )
  .action((shell: keyof typeof SHELLS, _options: unknown, command: Command) => {
    process.stdout.write(SHELLS[shell](spell(command.parent!)));
  });
