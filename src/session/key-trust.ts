import { keyText } from "../audit/different-key.ts";
import type { Console } from "../observe/console.ts";
import type { Line } from "../observe/line.ts";

/** What was checked, which brought its log key along unless someone else gave it. */
export type Brought = "vault" | "bag" | "certificate";

/** In place of "all is well": a forger can make everything agree with a key of their own. */
export function untrusted(what: Brought): string {
  return `consistent, but the key came with the ${what}, and no one has vouched for it`;
}

/**
 * Says how a check ended: where no one vouched for the log key, in the first line and again at the end, since a
 * terminal shows the last lines and a log file has the first.
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
