import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { commandLine } from "./program.ts";

const SCRIPT = "/usr/bin/script";

/** For `test(name, { skip })`. */
export const withoutTerminal: string | false = existsSync(SCRIPT) ? false : "script (util-linux) is not installed";

export interface Seen {
  readonly code: number;
  /** Every character that reached the terminal. */
  readonly text: string;
  /** The same in lines, without the one sequence that Holdfast writes itself: it clears the progress line. */
  readonly lines: readonly string[];
}

/** Runs `holdfast <args>` on a terminal of its own (a pseudo-terminal), where stdout and stderr are both. */
export function onTerminal(args: readonly string[], cwd: string): Promise<Seen> {
  const command = commandLine(args)
    .map((arg) => `'${arg.replaceAll("'", "'\\''")}'`)
    .join(" ");
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, SHELL: "/bin/sh", TERM: "xterm" };
  return new Promise((resolve, reject) => {
    const child = execFile(SCRIPT, ["-qec", command, "/dev/null"], { cwd, env, timeout: 60_000 }, (error, text) => {
      if (error?.killed) return reject(error);
      const plain = text.replaceAll("\r\n", "\n").replaceAll("\r\u001b[K", "");
      resolve({ code: Number(error?.code ?? 0), text, lines: plain.split("\n") });
    });
    child.stdin?.end();
  });
}

/** What of a text a terminal obeys, or a reader does not see: written out, so that a failure can be read. */
export function obeyed(text: string): string[] {
  const found = text.match(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu) ?? [];
  return [...new Set(found)].map((character) => `U+${character.codePointAt(0)!.toString(16)}`);
}
