import { styleText } from "node:util";
import { type Command, Help, type Option } from "commander";
import { printable } from "../core/printable.ts";
import { hostHere } from "./host.ts";

/** That a switch is off, or a list empty, goes without saying. */
function optionDescription(option: Option): string {
  const { defaultValue } = option;
  const unsaid = defaultValue === false || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return new Help().optionDescription(unsaid ? Object.create(option, { defaultValue: { value: undefined } }) : option);
}

/** Commander repeats what was typed, which a script may have taken from anywhere. Its own messages have line breaks. */
export function outputError(text: string, write: (text: string) => void): void {
  const [first = "", ...more] = text.split("\n").map(printable);
  // `--color` is not known yet: what is wrong may be the command line itself.
  const { stderr: stream } = hostHere();
  const shown = first.startsWith("error:") ? styleText("red", first, { stream }) : first;
  write([shown, ...more].join("\n"));
}

/** Every command below a program is told in the same way, and pointed to where someone mistypes it. */
export function teach(program: Command, names: readonly string[] = [program.name()]): void {
  for (const each of program.commands) {
    const path = [...names, each.name()];
    each
      .exitOverride()
      .configureOutput({ outputError })
      .configureHelp({ optionDescription })
      .showHelpAfterError(`(${path.join(" ")} --help shows what there is)`);
    const [first] = each.commands;
    if (first) each.addHelpText("after", `\nMore, with examples: ${path.join(" ")} ${first.name()} --help`);
    teach(each, path);
  }
}
