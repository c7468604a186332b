import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Metafile, Plugin } from "esbuild";

/** A module that exists in the bundle only. */
const COMMON = "holdfast:common";

/**
 * Puts into one file what a third of the commands load. By itself esbuild makes a file for each set of commands that
 * share something, and to find and link a hundred of them is a quarter of the time in which a command starts.
 *
 * @param outputs what esbuild says of the same bundle without this plugin
 */
export function commonChunk(root: string, { outputs }: Metafile): Plugin {
  // The main file, the commands, and what these load when it is needed. Authors of a source import theirs alone.
  const entries = Object.entries(outputs).flatMap(([path, { entryPoint = "" }]) =>
    /^(jobs|src)\//.test(entryPoint) && entryPoint !== "src/source/index.ts" ? [{ path, entryPoint }] : [],
  );
  const loads = entries
    .filter(({ entryPoint }) => entryPoint.startsWith("jobs/"))
    .map(({ path }) => loadedBy(path, outputs));
  const isCommon = (path: string): boolean => loads.filter((files) => files.has(path)).length * 3 >= loads.length;
  const modules = Object.entries(outputs).flatMap(([path, { entryPoint, inputs }]) =>
    entryPoint === undefined && isCommon(path) ? Object.keys(inputs).filter((name) => /^(jobs|src)\//.test(name)) : [],
  );
  // If all of them import it, esbuild has no reason to divide it.
  const importers = new Set(entries.map(({ entryPoint }) => join(root, entryPoint)));
  return {
    name: "common-chunk",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: new RegExp(`^${COMMON}$`) }, ({ path }) => ({ path, namespace: "common" }));
      onLoad({ filter: /.*/, namespace: "common" }, () => ({
        contents: modules.map((name) => `import ${JSON.stringify(`./${name}`)};`).join("\n"),
        resolveDir: root,
      }));
      onLoad({ filter: /\/(jobs|src)\/.*\.ts$/ }, async ({ path }) =>
        importers.has(path)
          ? { contents: `${await readFile(path, "utf8")}\nimport "${COMMON}";\n`, loader: "ts" }
          : undefined,
      );
    },
  };
}

/** The files of the bundle that are loaded with this one, and itself. */
function loadedBy(path: string, outputs: Metafile["outputs"], files = new Set<string>()): Set<string> {
  if (files.has(path)) return files;
  files.add(path);
  for (const { path: next, kind } of outputs[path]?.imports ?? [])
    if (kind === "import-statement" && next in outputs) loadedBy(next, outputs, files);
  return files;
}
