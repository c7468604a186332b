import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * `npm run sbom`: what Holdfast is shipped with, as CycloneDX on stdout. npm is given a project without development
 * dependencies, since `npm sbom --omit dev` leaves out also what is shipped, where the project's tests name it as well
 * (npm 11.19: @noble/curves, which age-encryption needs). The folder's name is what npm calls the project.
 */
const root = join(import.meta.dirname, "../..");
const temporary = mkdtempSync(join(tmpdir(), "holdfast-sbom-"));
try {
  const folder = join(temporary, "holdfast");
  mkdirSync(folder);
  const { devDependencies: _, allowScripts: __, ...manifest } = read("package.json");
  const lock = read("package-lock.json");
  for (const [path, entry] of Object.entries<{ dev?: boolean; devDependencies?: unknown }>(lock.packages)) {
    if (entry.dev) delete lock.packages[path];
    delete entry.devDependencies;
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
  const options = ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx"];
  process.stdout.write(execFileSync("npm", options, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }));
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

function read(name: string) {
  return JSON.parse(readFileSync(join(root, name), "utf8"));
}
