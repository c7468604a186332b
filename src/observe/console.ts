import { hasCode } from "../error.ts";
import { errorFields, type Fields, jsonLog, type Level, type Log, silentLog } from "./log.ts";
import { noProgress, type Progress, progressBar } from "./progress.ts";

/** What a command shows. People read stderr; stdout is for results, and with --json for one JSON object alone. */
export interface Console {
  readonly log: Log;
  /** @param before what an earlier run did of it */
  progress(label: string, before?: number): Progress;
  /** Lines for people; where nobody watches the first of them is logged. Without personal data. */
  say(text: string): void;
  /** A command's result on stdout. With --json the first one stands: a command that failed in part has told already. */
  result(value: unknown, text?: string): void;
  /** What went wrong, and how to mend it. */
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
  const result = (value: unknown, text?: string): void => {
    if (json && !given) stdout.write(`${JSON.stringify(value)}\n`);
    else if (!json && text !== undefined) stdout.write(text);
    given = true;
  };
  if (!stderr.isTTY) {
    const log = jsonLog(logLevel);
    return {
      log,
      result,
      progress: () => noProgress,
      say: (text) => log.info(text.split("\n", 1)[0]!),
      // Nobody need look at what was asked for.
      error: (error) =>
        hasCode(error, "interrupted")
          ? log.warn("interrupted", errorFields(error))
          : log.error("failed", errorFields(error)),
    };
  }
  return {
    log: terminalLog((line) => stderr.write(`${line}\n`)),
    result,
    progress: (label, before) => (quiet ? noProgress : progressBar(label, stderr, before)),
    say: (text) => void (quiet || stderr.write(`${text}\n`)),
    error: (error) => void stderr.write(`${errorText(error)}\n`),
  };
}

/** As people read an error: what failed, then how to mend it. */
export function errorText(error: unknown): string {
  const { code, error: message, mend, stack } = errorFields(error);
  const lines = [code === "internal" && stack ? `a defect of Holdfast: ${message}\n${stack}` : message];
  if (mend) lines.push(`  → ${mend}`);
  return lines.join("\n");
}

/** On a terminal only what needs attention; the rest is the progress bar's and the summary's. */
function terminalLog(write: (line: string) => void): Log {
  const line = (message: string, fields: Fields = {}): void => {
    const { subject, key, client, error, mend } = fields;
    const on = subject ?? key ?? client;
    write(`\r\x1b[K! ${message}${on ? ` (${on})` : ""}${error ? `: ${error}` : ""}${mend ? `\n  → ${mend}` : ""}`);
  };
  const log: Log = { ...silentLog, warn: line, error: line, with: () => log };
  return log;
}
