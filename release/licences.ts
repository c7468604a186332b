import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { production } from "../test/dependencies/lock.ts";

const ROOT = join(import.meta.dirname, "..");

/** The licence of each package whose code is in the bundle: their terms ask that it goes with the code. */
export async function licences(packages: readonly string[]): Promise<string> {
  const parts = ["Holdfast contains code of these packages. The licence of each is below its name.\n"];
  for (const name of packages) {
    const locked = production().find((each) => each.name === name);
    if (locked === undefined) throw new Error(`${name} is in the bundle, but is no dependency that is shipped`);
    const folder = join(ROOT, locked.path);
    const file = (await readdir(folder)).find((each) => /^licen[sc]e/i.test(each));
    // A few packages of the AWS SDK have only the name in package.json: Apache-2.0, whose text is Holdfast's own licence.
    if (file === undefined && locked.license !== "Apache-2.0") throw new Error(`${name} has no licence file`);
    const text =
      file === undefined ? "See the file LICENSE: it is the same licence." : await readFile(join(folder, file), "utf8");
    parts.push(`${"-".repeat(80)}\n${name} ${locked.version} (${locked.license})\n\n${text.trim()}\n`);
  }
  return parts.join("\n");
}
