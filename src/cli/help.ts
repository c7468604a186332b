import { styleText } from "node:util";
import { type Command, Help, type Option } from "commander";
import { printable } from "../core/printable.ts";
import { hostHere } from "./host.ts";

/** Leaves out the defaults "off" and "empty list". */
function optionDescription(option: Option): string {
  const { defaultValue } = option;
  const unsaid = defaultValue === false || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return new Help().optionDescription(unsaid ? Object.create(option, { defaultValue: { value: undefined } }) : option);
}

/** Commander repeats user input, which may contain escape sequences. Its own messages have line breaks. */
export function outputError(text: string, write: (text: string) => void): void {
  const [first = "", ...more] = text.split("\n").map(printable);
  // `--color` is not parsed yet: the command line itself may be wrong.
  const { stderr: stream } = hostHere();
  const shown = first.startsWith("error:") ? styleText("red", first, { stream }) : first;
  write([shown, ...more].join("\n"));
}

/** `help folder check` as `folder check --help`: Commander's own `help` knows the first name alone. */
export function withHelpLast(argv: readonly string[]): string[] {
  const [node = "", script = "", ...args] = argv;
  const [first, ...path] = args;
  const isNested = first === "help" && path.length > 1 && path.every((name) => !name.startsWith("-"));
  return [node, script, ...(isNested ? [...path, "--help"] : args)];
}

/** Sets up help and usage errors the same way for every subcommand. */
export function setUpHelp(program: Command, names: readonly string[] = [program.name()]): void {
  for (const each of program.commands) {
    const path = [...names, each.name()];
    each
      .exitOverride()
      .configureOutput({ outputError })
      .configureHelp({ optionDescription })
      .showHelpAfterError(`Run \`${path.join(" ")} --help\` for usage.`);
    const [first] = each.commands;
    if (first)
      each.addHelpText(
        "after",
        `\nFor details and examples, run a subcommand's help, such as ${path.join(" ")} ${first.name()} --help`,
      );
    setUpHelp(each, path);
  }
}
