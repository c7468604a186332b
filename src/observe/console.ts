import { hasCode } from "../core/error.ts";
import { printable, printableJson, sentence } from "../core/printable.ts";
import { errorFields, type Fields, jsonLog, type Level, type Log, silentLog } from "./log.ts";
import { noProgress, type Progress, progressBar } from "./progress.ts";

/**
 * What a command shows. People read stderr; stdout is for results, and with --json for one JSON object alone.
 *
 * Names, keys and words from outside come here as they are and are made safe here: a text is one line, whatever is in it,
 * and several lines are a list.
 */
export interface Console {
  readonly log: Log;
  /** @param before what an earlier run did of it */
  progress(label: string, before?: number): Progress;
  /** Lines for people; where no one watches they are logged, as one line. Without personal data. */
  say(lines: string | readonly string[]): void;
  /** A command's result on stdout. With --json the first one stands: a command that failed in part has told already. */
  result(value: unknown, lines?: readonly string[]): void;
  /** What went wrong, and how to fix it. */
  error(error: unknown): void;
}

export interface ConsoleOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Of the JSON lines; default `info`, or `warn` where quiet. */
  readonly logLevel?: Level | undefined;
  readonly stdout?: NodeJS.WriteStream;
  readonly stderr?: NodeJS.WriteStream;
}

export function createConsole({
  json,
  quiet,
  logLevel = quiet ? "warn" : "info",
  stdout = process.stdout,
  stderr = process.stderr,
}: ConsoleOptions): Console {
  let given = false;
  const result = (value: unknown, lines?: readonly string[]): void => {
    if (json && !given) stdout.write(`${printableJson(JSON.stringify(value))}\n`);
    else if (!json && lines !== undefined) write(stdout, lines);
    given = true;
  };
  if (!stderr.isTTY) {
    const log = stderr === process.stderr ? jsonLog(logLevel) : jsonLog(logLevel, stderr);
    return {
      log,
      result,
      progress: () => noProgress,
      say: (lines) => {
        const [first = "", ...more] = [lines].flat();
        log.info(first, more.length > 0 ? { lines: more } : {});
      },
      // No one need look at what was asked for.
      error: (error) =>
        hasCode(error, "interrupted")
          ? log.warn("interrupted", errorFields(error))
          : log.error("failed", errorFields(error)),
    };
  }
  return {
    log: terminalLog(stderr),
    result,
    progress: (label, before) => (quiet ? noProgress : progressBar(label, stderr, before)),
    say: (lines) => quiet || write(stderr, [lines].flat()),
    error: (error) => write(stderr, errorText(error)),
  };
}

function write(stream: NodeJS.WriteStream, lines: readonly string[]): void {
  stream.write(lines.map((line) => `${printable(line)}\n`).join(""));
}

/** As people read an error: what failed, then how to fix it. An error of ours has line breaks of its own only. */
export function errorText(error: unknown): string[] {
  const { code, error: message = "", hint, stack } = errorFields(error);
  const lines = message.split("\n");
  if (code === "internal" && stack) lines.splice(0, 1, `a defect of Holdfast: ${lines[0]}`, ...stack.split("\n"));
  return [...lines, ...toFix(hint)];
}

function toFix(hint: string | undefined): string[] {
  return hint ? `  → ${hint}`.split("\n") : [];
}

/** On a terminal only what needs attention; the rest is the progress bar's and the summary's. */
function terminalLog(stderr: NodeJS.WriteStream): Log {
  const line = (message: string, fields: Fields = {}): void => {
    const { subject, key, client, error, hint } = fields;
    const on = subject ?? key ?? client;
    const [first = "", ...more] = error?.split("\n") ?? [];
    // The progress line, if there is one, makes way.
    stderr.write("\r\x1b[K");
    const head = `! ${message}${on ? ` (${on})` : ""}${first ? `: ${first}` : ""}`;
    write(stderr, [sentence(head), ...more, ...toFix(hint)]);
  };
  const log: Log = { ...silentLog, warn: line, error: line, with: () => log };
  return log;
}
