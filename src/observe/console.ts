import type { Clock } from "../core/clock.ts";
import { hasCode } from "../core/error.ts";
import { printableJson } from "../core/printable.ts";
import { type Color, type Line, textOf, writeLines } from "./line.ts";
import { errorFields, type Fields, jsonLog, type Log, type LogLevel } from "./log.ts";
import { noProgress, type Progress, progressBar } from "./progress.ts";
import { progressLog } from "./progress-log.ts";
import { textLog, toFix } from "./text-log.ts";

/**
 * A command's output. stderr is for people; stdout is for results, and with --json for exactly one JSON object.
 *
 * Untrusted names, keys and texts arrive raw and are made safe here: a string is always one line; several lines are a
 * list.
 */
export interface Console {
  readonly log: Log;
  /** Output goes to a terminal: long lists are cut. */
  readonly isWatched?: boolean;
  /** @param before the number that an earlier run has done */
  progress(label: string, before?: number): Progress;
  /** Lines for people; one line in a JSON log. Without personal data. */
  say(lines: Line | readonly Line[]): void;
  /** A command's result on stdout. With --json only the first counts: a command that partly failed has printed it already. */
  result(value: unknown, lines?: readonly Line[]): void;
  /** Prints what went wrong, and how to fix it. */
  error(error: unknown): void;
}

export const FORMATS = ["text", "json"] as const;
export type Format = (typeof FORMATS)[number];

export interface ConsoleOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** The format of stderr: text for people, or JSON lines for a collector. Default: `text`. */
  readonly format?: Format | undefined;
  readonly color?: Color | undefined;
  /** Default: `warn` on a terminal or with --quiet, otherwise `info`. */
  readonly logLevel?: LogLevel | undefined;
  readonly stdout?: NodeJS.WriteStream;
  readonly stderr?: NodeJS.WriteStream;
  readonly now?: Clock;
}

export function createConsole({
  json,
  quiet,
  format = "text",
  color = "auto",
  logLevel,
  stdout = process.stdout,
  stderr = process.stderr,
  now = Temporal.Now.instant,
}: ConsoleOptions): Console {
  let given = false;
  const result = (value: unknown, lines?: readonly Line[]): void => {
    if (json && !given) stdout.write(`${printableJson(JSON.stringify(value))}\n`);
    else if (!json && lines !== undefined) writeLines(lines, { stream: stdout, color });
    given = true;
  };
  if (format === "json") {
    const level = logLevel ?? (quiet ? "warn" : "info");
    const log = stderr === process.stderr ? jsonLog(level) : jsonLog(level, stderr);
    return {
      log,
      result,
      progress: (label, before) => progressLog(label, (line, fields) => log.info(line, fields), before),
      say: (lines) => {
        const [first = "", ...more] = [lines].flat().map(textOf);
        log.info(first, more.length > 0 ? { lines: more } : {});
      },
      // The user interrupted it, so it is not a failure.
      error: (error) =>
        hasCode(error, "interrupted")
          ? log.warn("interrupted", errorFields(error))
          : log.error("failed", errorFields(error)),
    };
  }
  const watched = stderr.isTTY;
  /**
   * Errors that the log showed on this terminal: the program's last line does not repeat them. Those of one person say
   * nothing about the run.
   */
  const shown = new Set<string>();
  const write = (lines: readonly Line[]): void => writeLines(lines, { stream: stderr, color });
  const log = textLog({
    level: logLevel ?? (watched || quiet ? "warn" : "info"),
    // Clear the progress line, if there is one.
    write: (lines) => {
      if (watched) stderr.write("\r\x1b[K");
      write(lines);
    },
    time: watched ? undefined : () => clockTime(now()),
    onError: (fields) => {
      if (fields.subject === undefined) shown.add(keyOf(fields));
    },
  });
  return {
    log,
    isWatched: watched,
    result,
    progress: (label, before) => {
      if (!watched) return progressLog(label, (line) => log.info(line), before);
      return quiet ? noProgress : progressBar(label, stderr, before);
    },
    say: (lines) => quiet || write([lines].flat()),
    error: (error) => {
      if (watched && shown.has(keyOf(errorFields(error)))) return;
      const tone = hasCode(error, "interrupted") ? "warning" : "bad";
      const [first = "", ...more] = errorText(error);
      write([{ text: first, tone }, ...more]);
    },
  };
}

/** Equal for an error in a log line and the same one at the program's end. Defects differ in their stack alone. */
function keyOf({ code, error, hint, stack }: Fields): string {
  return JSON.stringify([code, error, hint, stack]);
}

/** In this machine's local time. */
function clockTime(now: Temporal.Instant): string {
  return now.toZonedDateTimeISO(Temporal.Now.timeZoneId()).toPlainTime().toString({ smallestUnit: "second" });
}

/** An error as text for people: what failed, then how to fix it. A HoldfastError has only line breaks that we put there. */
export function errorText(error: unknown): string[] {
  const { code, error: message = "", hint, stack } = errorFields(error);
  const lines = message.split("\n");
  if (code === "internal" && stack) lines.splice(0, 1, `a bug in Holdfast: ${lines[0]}`, ...stack.split("\n"));
  return [...lines, ...toFix(hint)];
}
