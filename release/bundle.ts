import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";

const ROOT = join(import.meta.dirname, "..");
/** For those who write a source: the package's entry point. */
const SOURCE = join(ROOT, "src/source/index.ts");

/** The program in JavaScript, with everything that it imports. */
export interface Bundle {
  /** The file to run. */
  readonly main: string;
  /** Names of the packages whose code is in it. */
  readonly packages: readonly string[];
}

/**
 * Bundles `jobs/main.ts` into `folder`, which is removed first: the same bytes for the same sources.
 *
 * @param form `split`: a file for each command and for what several share, so that a command loads only its own code.
 * `single`: one file, as a single executable needs it.
 */
export async function bundle(folder: string, form: "split" | "single"): Promise<Bundle> {
  await rm(folder, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { holdfast: join(ROOT, "jobs/main.ts"), ...(form === "split" ? { source: SOURCE } : {}) },
    outdir: folder,
    bundle: true,
    splitting: form === "split",
    format: "esm",
    platform: "node",
    target: "node26",
    // Packages that have both forms: ES modules, of which only what is used goes in.
    mainFields: ["module", "main"],
    // Names stay: they are what a stack trace in a bug report shows.
    minifyWhitespace: true,
    // Node prints the whole line with an error that no one caught.
    lineLimit: 160,
    minifySyntax: true,
    legalComments: "none",
    // Only what Node itself was told to run is the main module, and a bundle has one.
    define: { "import.meta.main": "false" },
    // Packages in CommonJS ask for Node's own modules in this way.
    banner: {
      js: 'import { createRequire as nodeRequire } from "node:module";const require = nodeRequire(import.meta.url);',
    },
    plugins: [pageInside],
    metafile: true,
  });
  // Node looks here for what kind of modules these are.
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [packageOf(path)] : [])),
  );
  return { main: join(folder, "holdfast.js"), packages: [...new Set(used)].filter((name) => name !== "").sort() };
}

/** In a bundle there is no file beside the module: the page of the bags becomes a text in it. */
const pageInside: Plugin = {
  name: "page-inside",
  setup({ onLoad }) {
    onLoad({ filter: /src\/bag\/viewer-page\.ts$/ }, async () => {
      const page = await readFile(join(ROOT, "src/viewer/viewer.html"), "utf8");
      return { contents: `export const viewerPage = async () => Buffer.from(${JSON.stringify(page)});` };
    });
  },
};

/** `node_modules/@scure/base/index.js` is of `@scure/base`; Holdfast's own files are of none, "". */
function packageOf(path: string): string {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? "";
}
