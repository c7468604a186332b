import type { Argument, Command, Option } from "commander";
import { PLACES } from "../default-config.ts";

/** The kind of value that an option or argument takes. */
export type Value =
  | { readonly kind: "file" }
  | { readonly kind: "client" }
  | { readonly kind: "choice"; readonly of: readonly string[] }
  /** Free text that cannot be completed. */
  | { readonly kind: "other" };

export interface Flag {
  /** `-c` and `--config`, or only the long one. */
  readonly spellings: readonly string[];
  readonly description: string;
  /** Undefined if the flag takes no value. */
  readonly value: Value | undefined;
}

/** What a shell needs to complete a command. */
export interface Spelled {
  /** From the program's name on: `["holdfast", "retention", "extend"]`. */
  readonly path: readonly string[];
  readonly description: string;
  readonly flags: readonly Flag[];
  readonly argument: Value | undefined;
  readonly commands: readonly Spelled[];
}

/** A sed script that reads client ids from a config file. Cheap, and correct if each client starts with its id. */
export const CLIENT_IDS = String.raw`s/^ *- *id: *["']\{0,1\}\([A-Za-z0-9][A-Za-z0-9._-]*\).*/\1/p`;
/** Prints the config that a command uses without `--config`, in any shell. */
export const DEFAULT_CONFIG = `sh -c 'for f in ${PLACES.join(" ")}; do [ -r $f ] && echo $f && break; done'`;

/** Commander's description of a program, in a form for any shell. */
export function spell(command: Command, above: readonly string[] = []): Spelled {
  const path = [...above, command.name()];
  const help = command.createHelp();
  const [argument] = command.registeredArguments;
  return {
    path,
    description: command.description(),
    flags: help.visibleOptions(command).map((option) => ({
      spellings: [option.short, option.long].filter((each) => each !== undefined),
      description: option.description,
      value: option.required || option.optional ? valueAt(option, /<(.*)>/.exec(option.flags)?.[1] ?? "") : undefined,
    })),
    argument: argument && valueAt(argument, argument.name()),
    commands: help
      .visibleCommands(command)
      .filter((each) => each.name() !== "help")
      .map((each) => spell(each, path)),
  };
}

const FILES = /^(file|folder|path|bag|sealed)$/;

function valueAt(place: Option | Argument, name: string): Value {
  if (place.argChoices) return { kind: "choice", of: place.argChoices };
  if (FILES.test(name)) return { kind: "file" };
  if ("long" in place && place.long === "--client") return { kind: "client" };
  return { kind: "other" };
}

/** Every command, the outermost first. */
export function everyCommand(program: Spelled): Spelled[] {
  return [program, ...program.commands.flatMap(everyCommand)];
}

/** Quotes any text as one shell word. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
