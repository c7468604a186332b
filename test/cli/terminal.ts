import { execFile, spawn } from "node:child_process";
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

/** So wide that nothing is wrapped, and without colour: what most tests look at. */
const WIDE = 1_000;
const PLAIN = { NO_COLOR: "1" };

interface Place {
  readonly columns?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** What a shell does with the output: ` 2>&1 | cat`. */
  readonly into?: string;
}

/** Runs `holdfast <args>` on a terminal of its own (a pseudo-terminal), where stdout and stderr are both. */
export function onTerminal(
  args: readonly string[],
  cwd: string,
  { columns = WIDE, env = PLAIN, into = "" }: Place = {},
): Promise<Seen> {
  const [command, words] = onPseudoTerminal(args, columns, into);
  return new Promise((resolve, reject) => {
    const child = execFile(command, words, { cwd, env: { ...around(), ...env }, timeout: 180_000 }, (error, text) => {
      if (error?.killed) return reject(error);
      resolve(seen(Number(error?.code ?? 0), text));
    });
    child.stdin?.end();
  });
}

/** The same with someone at the keyboard, who types each answer once its prompt is there. */
export async function talkOnTerminal(
  args: readonly string[],
  cwd: string,
  turns: readonly (readonly [prompt: string, typed: string])[],
): Promise<Seen> {
  const [command, words] = onPseudoTerminal(args, WIDE);
  const child = spawn(command, words, { cwd, env: { ...around(), ...PLAIN }, timeout: 180_000 });
  let text = "";
  let read = 0;
  const left = [...turns];
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    text += more;
    for (let turn = left[0]; turn && text.includes(turn[0], read); turn = left[0]) {
      read = text.indexOf(turn[0], read) + turn[0].length;
      child.stdin.write(turn[1]);
      left.shift();
    }
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (left.length > 0 || code === null) throw new Error(`"${left[0]?.[0]}" was not asked (${code}):\n${text}`);
  return seen(code, text);
}

const around = () => ({
  ...process.env,
  ...{ NODE_TEST_CONTEXT: undefined, NO_COLOR: undefined, CI: undefined, SHELL: "/bin/sh", TERM: "xterm" },
});

function onPseudoTerminal(args: readonly string[], columns: number, into = ""): [string, string[]] {
  const command = commandLine(args)
    .map((arg) => `'${arg.replaceAll("'", "'\\''")}'`)
    .join(" ");
  return [SCRIPT, ["-qec", `stty cols ${columns}; ${into === "" ? "exec " : ""}${command}${into}`, "/dev/null"]];
}

function seen(code: number, text: string): Seen {
  const plain = text.replaceAll("\r\n", "\n").replaceAll("\r\u001b[K", "");
  return { code, text, lines: plain.split("\n") };
}

/** What of a text a terminal obeys, or a reader does not see: written out, so that a failure can be read. */
export function obeyed(text: string): string[] {
  const found = text.match(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu) ?? [];
  return [...new Set(found)].map((character) => `U+${character.codePointAt(0)!.toString(16)}`);
}
