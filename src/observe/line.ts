import type { Writable } from "node:stream";
import { styleText } from "node:util";
import { printable } from "../core/printable.ts";
import { wrap } from "./wrap.ts";

export type Tone = "good" | "warning" | "bad";

/** A line for people. The colour only repeats what the words say. */
export type Line =
  | string
  | {
      readonly text: string;
      readonly tone?: Tone;
      /** The coloured part. Default: the whole line. */
      readonly mark?: string;
      /** Meant to be pasted into a shell: never wrapped. */
      readonly whole?: true;
    };

export const COLORS = ["auto", "always", "never"] as const;
export type Color = (typeof COLORS)[number];

const STYLES = { good: "green", warning: "yellow", bad: "red" } as const;

export function textOf(line: Line): string {
  return typeof line === "string" ? line : line.text;
}

export interface Paper {
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly color: Color;
}

/** Writes lines without control characters, wrapped to the terminal's width. Other outputs are not wrapped. */
export function writeLines(lines: readonly Line[], { stream, color }: Paper): void {
  const width = stream.isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY;
  const rows = lines.flatMap((line) => {
    const { text, tone, mark, whole } = typeof line === "string" ? ({ text: line } as Exclude<Line, string>) : line;
    const shown = whole ? [printable(text)] : wrap(printable(text), width);
    if (tone === undefined) return shown;
    const paint = (part: string): string => painted(part, tone, stream, color);
    if (mark === undefined) return shown.map((row) => row.replace(/[^ ].*/, paint));
    return [shown[0]!.replace(mark, paint), ...shown.slice(1)];
  });
  stream.write(rows.map((row) => `${row}\n`).join(""));
}

/** Node checks the stream, NO_COLOR and FORCE_COLOR. */
function painted(text: string, tone: Tone, stream: Writable, color: Color): string {
  if (color === "never") return text;
  return styleText(STYLES[tone], text, color === "always" ? { validateStream: false } : { stream });
}
