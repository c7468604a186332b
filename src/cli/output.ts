import { type Command, Option } from "commander";
import { HoldfastError } from "../core/error.ts";
import { type Console, createConsole, FORMATS, type Format } from "../observe/console.ts";
import { COLORS, type Color } from "../observe/line.ts";
import { LEVELS, type LogLevel } from "../observe/log.ts";
import type { Host } from "./host.ts";

/** The output options that all commands share. */
export interface OutputOptions {
  readonly color: Color;
  readonly logFormat?: Format | undefined;
  readonly logLevel?: LogLevel | undefined;
}

const VARIABLE = "HOLDFAST_LOG_FORMAT";

/** Adds these options to a command. */
export function withOutput(command: Command): Command {
  return command
    .addOption(
      new Option("--color <when>", "when to use colour: auto means on a terminal, unless NO_COLOR is set")
        .choices(COLORS)
        .default("auto"),
    )
    .addOption(
      new Option(
        "--log-format <format>",
        `format of stderr: text, or JSON lines for a log collector (default: text on a terminal, otherwise ${VARIABLE} or text)`,
      ).choices(FORMATS),
    )
    .addOption(
      new Option("--log-level <level>", "lowest level to log (default: warn on a terminal, otherwise info)").choices(
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

/** The format that the environment sets for non-interactive output. Invalid values mean text; `refuseFormat` reports them. */
function preferred(): Format {
  return FORMATS.find((format) => format === process.env[VARIABLE]) ?? "text";
}

/** @throws HoldfastError "usage" if the environment names an unknown format */
export function refuseFormat(): void {
  const { [VARIABLE]: asked = "" } = process.env;
  if (asked === "" || FORMATS.some((format) => format === asked)) return;
  throw new HoldfastError("usage", `${VARIABLE} is not one of: ${FORMATS.join(", ")}`, {
    hint: `Set ${VARIABLE} to one of them, or unset it.`,
  });
}
