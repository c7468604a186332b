import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { commandLine } from "../cli/program.ts";

/** Runs a block of a page in a folder, with `holdfast` as it is tested. Rejects where it ends with another code than 0. */
export async function bash(
  script: string,
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const words = commandLine([]).map((word) => `'${word}'`);
  // Pipes fail with their first part, as a reader would see it.
  const whole = `set -euo pipefail\nholdfast() { ${words.join(" ")} "$@"; }\n${script}\n`;
  const child = spawn("bash", ["-c", whole], {
    cwd,
    env: { ...process.env, ...env, NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`exit code ${code} of\n${script}\n${out}\n${said}`);
  return `${out}${said}`;
}
