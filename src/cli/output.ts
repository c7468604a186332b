import { type Command, Option } from "commander";
import { HoldfastError } from "../core/error.ts";
import { type Console, createConsole, FORMATS, type Format } from "../observe/console.ts";
import { COLORS, type Color } from "../observe/line.ts";
import { LEVELS, type Level } from "../observe/log.ts";
import type { Host } from "./host.ts";

/** How every command writes what people and collectors read. */
export interface OutputOptions {
  readonly color: Color;
  readonly logFormat?: Format | undefined;
  readonly logLevel?: Level | undefined;
}

const VARIABLE = "HOLDFAST_LOG_FORMAT";

/** Adds the options that every command has for it. */
export function withOutput(command: Command): Command {
  return command
    .addOption(
      new Option("--color <when>", "colour: auto is on a terminal, unless NO_COLOR is set")
        .choices(COLORS)
        .default("auto"),
    )
    .addOption(
      new Option(
        "--log-format <format>",
        `what stderr has: text, or JSON lines for a log collector (default: ${VARIABLE} where there is no terminal, else text)`,
      ).choices(FORMATS),
    )
    .addOption(
      new Option("--log-level <level>", "how much the log says (default: warn on a terminal, else info)").choices(
        LEVELS,
      ),
    );
}

export function consoleOf(
  { logFormat, ...options }: OutputOptions & { readonly json: boolean; readonly quiet: boolean },
  { stdout, stderr, now }: Host,
): Console {
  const format = logFormat ?? (stderr.isTTY ? "text" : preferred());
  return createConsole({ ...options, format, stdout, stderr, now });
}

/** What the environment asks for where no one watches. Text is for any word but these: `refuseFormat` says so. */
function preferred(): Format {
  return FORMATS.find((format) => format === process.env[VARIABLE]) ?? "text";
}

/** @throws HoldfastError "usage" where the environment asks for a format that there is not */
export function refuseFormat(): void {
  const { [VARIABLE]: asked = "" } = process.env;
  if (asked === "" || FORMATS.some((format) => format === asked)) return;
  throw new HoldfastError("usage", `${VARIABLE} is not one of: ${FORMATS.join(", ")}`, {
    hint: `Set ${VARIABLE} to one of them, or unset it.`,
  });
}
