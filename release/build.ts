import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { buildDebianPackage } from "./debian.ts";
import { buildExecutable } from "./executable.ts";
import { executableLicences } from "./licences.ts";
import { buildNpmPackage } from "./npm.ts";

const ROOT = join(import.meta.dirname, "..");

/** Builds everything that is published, in `dist`, which is deleted first. The same commit gives the same bytes. */
export interface Artefacts {
  readonly npmPackage: string;
  readonly executable: string;
  readonly debianPackage: string;
}

export async function build(dist: string): Promise<Artefacts> {
  const time = timeOfSources();
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const npmPackage = await buildNpmPackage(dist);
  const { file: executable, packages } = await buildExecutable(dist);
  const licences = await executableLicences(packages);
  await writeFile(join(dist, "LICENSES.txt"), licences);
  const debianPackage = await buildDebianPackage(dist, {
    executable,
    licences,
    time,
    compression: "xz",
  });
  const sbom = join(dist, "holdfast.cdx.json");
  await writeFile(sbom, await bom());
  const sums = [];
  for (const file of [npmPackage, executable, debianPackage, sbom]) {
    const digest = createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
    sums.push(`${digest}  ${basename(file)}\n`);
  }
  await writeFile(join(dist, "SHA256SUMS"), sums.join(""));
  return { npmPackage, executable, debianPackage };
}

/** A CycloneDX list of what is bundled, and of the Node inside the executable and the Debian package. */
async function bom(): Promise<string> {
  const made = JSON.parse(execFileSync("npm", ["run", "--silent", "sbom"], { cwd: ROOT, encoding: "utf8" }));
  const { version } = JSON.parse(await readFile(join(ROOT, "node_modules/node/package.json"), "utf8"));
  const node = {
    type: "platform",
    name: "node",
    version,
    purl: `pkg:generic/node@${version}`,
    "bom-ref": `node@${version}`,
  };
  // npm adds the time and a serial number, so that two builds of one commit would differ.
  const { serialNumber: _, ...rest } = made;
  const { timestamp: __, ...metadata } = made.metadata;
  return `${JSON.stringify({ ...rest, metadata, components: [...made.components, node] }, null, 2)}\n`;
}

/** The commit's time, in seconds since 1970; for sources without git, SOURCE_DATE_EPOCH (reproducible-builds.org). */
function timeOfSources(): number {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  if (given !== undefined) return Number(given);
  try {
    return Number(execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: ROOT, encoding: "utf8", stdio: "pipe" }));
  } catch (cause) {
    throw new Error("cannot find out the time of the sources without git: set SOURCE_DATE_EPOCH", { cause });
  }
}

if (import.meta.main) {
  const { npmPackage, executable, debianPackage } = await build(join(ROOT, "dist"));
  for (const file of [npmPackage, executable, debianPackage]) console.log(file);
}
