import { sentence } from "../core/printable.ts";
import type { Line, Tone } from "./line.ts";
import { type Fields, LEVELS, type Log, type LogLevel } from "./log.ts";

export interface TextLogOptions {
  readonly level: LogLevel;
  readonly write: (lines: readonly Line[]) => void;
  /** The time at the start of a line; undefined for a terminal, where people see when a line appears. */
  readonly time: (() => string) | undefined;
  /** Called with each error that is written in full, with its hint. */
  readonly onError?: (fields: Fields) => void;
}

const TONES: Readonly<Partial<Record<LogLevel, Tone>>> = { warn: "warning", error: "bad" };
/** Fields shown as `name=value`. The rest are part of the sentence or of the summary. */
const NAMED = ["code", "stage", "outcome", "count", "total", "due", "url"] as const;

/** The log as text for people: `12:03:04 warn  record failed (acme-bank, 9c4f…): the provider refused  code=…`. */
export function textLog(options: TextLogOptions, own: Fields = {}): Log {
  const { level: least, write, time } = options;
  const at =
    (level: LogLevel) =>
    (message: string, fields: Fields = {}): void => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
      const all = { ...own, ...fields };
      const { client, source, subject, key, error, hint, stack } = all;
      const on = [client, source, subject ?? key].filter((each) => each !== undefined).join(", ");
      const [first = "", ...more] = error?.split("\n") ?? [];
      const values = NAMED.flatMap((name) => (all[name] === undefined ? [] : [`${name}=${all[name]}`]));
      const words = sentence(`${message}${on ? ` (${on})` : ""}${first ? `: ${first}` : ""}`);
      const tone = TONES[level];
      const head = time
        ? [`${time()} ${level.padEnd(5)}`, words, ...(values.length > 0 ? [` ${sentence(values.join(" "))}`] : [])]
        : [tone ? "!" : "·", words];
      write([
        { text: head.join(" "), ...(tone ? { tone } : {}), ...(time ? { mark: level } : {}) },
        ...more,
        ...toFix(hint),
        ...(stack?.split("\n") ?? []),
      ]);
      if (level === "error") options.onError?.(all);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => textLog(options, { ...own, ...fields }),
  };
}

export function toFix(hint: string | undefined): string[] {
  return hint ? hint.split("\n").map((line, at) => `  ${at === 0 ? "→" : " "} ${line}`) : [];
}
