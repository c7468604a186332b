import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PROGRAM = "/usr/bin/chromium";

/** For `test(name, { skip })`: false where the browser is. In CI the set-up has failed before a test could be skipped. */
export const withoutChromium: string | false = existsSync(PROGRAM) ? false : "chromium is not installed";

export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: PROGRAM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
}
