import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { bundle } from "./bundle.ts";

const NODE = join(import.meta.dirname, "../node_modules/node/bin/node");

export interface Executable {
  readonly file: string;
  /** Names of the packages whose code it contains. */
  readonly packages: readonly string[];
}

/**
 * Builds `holdfast-linux-x64` in `dist`: Node and the program in one file
 * (https://nodejs.org/api/single-executable-applications.html). The same sources and the same Node give the same bytes.
 *
 * Node's options, such as its permission model, are set with NODE_OPTIONS, as for Node itself.
 */
export async function buildExecutable(dist: string): Promise<Executable> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-executable-"));
  try {
    const output = join(dist, `holdfast-${process.platform}-${process.arch}`);
    const { main, packages } = await bundle(join(folder, "program"), "single");
    const config = {
      // Relative, because the executable contains this path.
      main: relative(folder, main),
      mainFormat: "module",
      executable: NODE,
      output,
      disableExperimentalSEAWarning: true,
      // Same options as in the other forms: see jobs/main.ts.
      execArgv: ["--max-semi-space-size=4"],
      execArgvExtension: "env",
    };
    await mkdir(dist, { recursive: true });
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    await promisify(execFile)(NODE, ["--build-sea", "config.json"], { cwd: folder });
    return { file: output, packages };
  } finally {
    await rm(folder, { recursive: true });
  }
}
