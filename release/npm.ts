import { execFile } from "node:child_process";
import { chmod, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundle } from "./bundle.ts";
import { licences } from "./licences.ts";

const ROOT = join(import.meta.dirname, "..");
const run = promisify(execFile);

/**
 * Builds the npm package below `dist` and returns the path of its tarball. It has no dependencies: they are bundled, so
 * that users install what was tested. The checkout's own package.json is private, so that no one publishes sources that
 * Node cannot run below node_modules.
 */
export async function buildNpmPackage(dist: string): Promise<string> {
  const folder = join(dist, "npm");
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "bin"), { recursive: true });
  const { packages } = await bundle(join(folder, "program"), "split");
  await rm(join(folder, "program/package.json"));
  for (const name of ["holdfast.cjs", "start.cjs"]) {
    await cp(join(import.meta.dirname, "npm", name), join(folder, "bin", name));
  }
  await chmod(join(folder, "bin/holdfast.cjs"), 0o755);
  for (const name of ["README.md", "CHANGELOG.md", "LICENSE", "config", "docs"]) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, "THIRD-PARTY-LICENSES.txt"), await licences(packages));
  await declarations(join(folder, "types"));
  await writeFile(join(folder, "package.json"), `${JSON.stringify(await manifest(), null, 2)}\n`);
  // The tarball contains the files' modes, which must not depend on the umask.
  await run("chmod", ["-R", "u+rwX,go+rX,go-w", folder]);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", dist], { cwd: folder });
  const [{ filename }] = JSON.parse(stdout);
  return join(dist, filename);
}

/** Types of the entry point, for authors of a source. */
async function declarations(folder: string): Promise<void> {
  const options = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--rewriteRelativeImportExtensions"];
  const place = ["--rootDir", join(ROOT, "src"), "--outDir", folder];
  await run(join(ROOT, "node_modules/.bin/tsc"), ["-p", join(import.meta.dirname, "npm"), ...options, ...place]);
  // A project that uses them may have an older JavaScript as its `lib`.
  const entry = join(folder, "source/index.d.ts");
  await writeFile(entry, `/// <reference lib="esnext" />\n${await readFile(entry, "utf8")}`);
}

async function manifest(): Promise<object> {
  const { name, version, description, license, type } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  return {
    ...{ name, version, description, license, type },
    keywords: ["identity-verification", "kyc", "record-keeping", "retention", "age", "s3", "object-lock", "audit-log"],
    bin: { holdfast: "bin/holdfast.cjs" },
    exports: { ".": { types: "./types/source/index.d.ts", default: "./program/source.js" } },
    publishConfig: { access: "public", provenance: true },
  };
}
