import type { ChildProcess } from "node:child_process";

/** The port that a `child.ts` listens at, once it does. */
export function portOf({ stdout }: ChildProcess): Promise<number> {
  let said = "";
  return new Promise((resolve) => {
    stdout!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const [, found] = /port (\d+)\n/.exec(said) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
  });
}
