import { production } from "../../release/lock.ts";

/** `npm run licences`: what Holdfast is shipped with, a package a line: licence, name, version. */
for (const { license = "none named", name, version } of production()) {
  process.stdout.write(`${license.padEnd(14)} ${name}@${version}\n`);
}
