import { keyText } from "../audit/different-key.ts";
import type { Console } from "../observe/console.ts";
import type { Line } from "../observe/line.ts";

/** What was checked. It contains its own log key, unless the caller gave one. */
export type Brought = "vault" | "bag" | "certificate";

/** Replaces "all is well": a forger can sign a consistent copy with their own key. */
export function untrusted(what: Brought): string {
  return `consistent, but the key came with the ${what}, and no one has vouched for it`;
}

/**
 * Prints the result of a check. If no one vouched for the log key, it says so in the first line and again at the end:
 * people see the last lines of a terminal and the first lines of a log file.
 */
export function sayVerdict(
  console: Console,
  text: Line | readonly Line[],
  of: { readonly keyTrusted: boolean; readonly vkey: string; readonly with: Brought; readonly client?: string },
): void {
  const [first = "", ...more] = [text].flat();
  const tone = of.keyTrusted ? "good" : "warning";
  console.say([typeof first === "string" ? { text: first, tone } : first, ...more]);
  if (of.keyTrusted) return;
  console.log.warn(`no one has vouched for the log key, which came with the ${of.with}`, {
    ...(of.client === undefined ? {} : { client: of.client }),
    hint: `Compare ${keyText(of.vkey)} with the key that the client gave you, or pass that one with --vkey.`,
  });
}
