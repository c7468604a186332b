import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { licences } from "./licences.ts";

/** `node release/image.ts <folder>`: the Dockerfile runs this to create the content of /holdfast in the image. */
const ROOT = join(import.meta.dirname, "..");
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("no folder is given: node release/image.ts <folder>");

const { packages } = await bundle(join(folder, "program"), "split");
await writeFile(join(folder, "THIRD-PARTY-LICENSES.txt"), await licences(packages));
await cp(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
await mkdir(join(folder, "config"));
// Error messages name this file.
await cp(join(ROOT, "config/holdfast.example.yaml"), join(folder, "config/holdfast.example.yaml"));
