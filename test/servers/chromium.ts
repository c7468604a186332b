import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PROGRAM = "/usr/bin/chromium";

/** For `test(name, { skip })`: false if the browser is installed. In CI, test/setup.ts fails instead. */
export const withoutChromium: string | false = existsSync(PROGRAM) ? false : "chromium is not installed";

export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: PROGRAM,
    timeout: 180_000,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
}
