import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

let built: Promise<string> | undefined;

/** jobs.ts with all that it imports, made once: it is started again after each kill, and loads so in half the time. */
export function bundledJobs(): Promise<string> {
  built ??= bundle();
  return built;
}

async function bundle(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-century-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  const js = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
  await build({
    entryPoints: { jobs: join(import.meta.dirname, "jobs.ts") },
    ...{ outdir: folder, bundle: true, splitting: true, format: "esm", platform: "node", target: "node26" },
    ...{ mainFields: ["module", "main"], define: { "import.meta.main": "false" }, banner: { js } },
  });
  return join(folder, "jobs.js");
}
