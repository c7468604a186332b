import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { commonChunk } from "./common-chunk.ts";

const ROOT = join(import.meta.dirname, "..");
/** The package's entry point, for authors of a source. */
const SOURCE = join(ROOT, "src/source/index.ts");

/** The program as JavaScript, with everything it imports. */
export interface Bundle {
  /** The file to run. */
  readonly main: string;
  /** Names of the packages whose code it contains. */
  readonly packages: readonly string[];
}

/**
 * Bundles the program into `folder`, which is deleted first: the same sources give the same bytes.
 *
 * @param form `split`: one file per command, and files for shared code, so that a command loads only what it needs.
 * `single`: one file, for the single executable.
 * @param entry the file to run; another one than the program's for a benchmark that measures a part of it
 */
export async function bundle(folder: string, form: "split" | "single", entry = "jobs/main.ts"): Promise<Bundle> {
  await rm(folder, { recursive: true, force: true });
  const options = {
    absWorkingDir: ROOT,
    entryPoints: { holdfast: join(ROOT, entry), ...(form === "split" ? { source: SOURCE } : {}) },
    outdir: folder,
    bundle: true,
    splitting: form === "split",
    format: "esm",
    platform: "node",
    target: "node26",
    // For packages with both forms, use ES modules: unused code can be left out of them.
    mainFields: ["module", "main"],
    // Keep names: stack traces in bug reports show them.
    minifyWhitespace: true,
    // Node prints the whole line with an uncaught error, so lines must not be huge.
    lineLimit: 160,
    minifySyntax: true,
    legalComments: "none",
    // Only the file that Node was started with is the main module, and a bundle has one.
    define: { "import.meta.main": "false" },
    // Packages in CommonJS load Node's own modules with `require`.
    banner: {
      js: 'import { createRequire as nodeRequire } from "node:module";const require = nodeRequire(import.meta.url);',
    },
    metafile: true,
  } as const satisfies BuildOptions;
  const plugins = [pageInside, exportsAsUsed, undiciAsUsed];
  if (form === "split") {
    const { metafile } = await build({ ...options, plugins, write: false });
    plugins.push(commonChunk(ROOT, metafile));
  }
  const { metafile } = await build({ ...options, plugins });
  // Tells Node what kind of modules these are.
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [packageOf(path)] : [])),
  );
  return { main: join(folder, "holdfast.js"), packages: [...new Set(used)].filter((name) => name !== "").sort() };
}

/** A bundle has no file beside the module, so the page for bags becomes a text in it. */
const pageInside: Plugin = {
  name: "page-inside",
  setup({ onLoad }) {
    onLoad({ filter: /src\/bag\/viewer-page\.ts$/ }, async () => {
      const page = await readFile(join(ROOT, "src/viewer/viewer.html"), "utf8");
      return { contents: `export const viewerPage = async () => Buffer.from(${JSON.stringify(page)});` };
    });
  },
};

/**
 * An `import` of `node:http` reads all its exports, and with them loads Node's own `fetch` and WebSocket, which Holdfast
 * does not use: an eighth of the time in which `export` starts. In the same way `node:crypto` loads Web Crypto.
 */
const exportsAsUsed: Plugin = {
  name: "exports-as-used",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^(node:)?(http|crypto)$/ }, ({ path, kind }) =>
      kind === "import-statement" || kind === "dynamic-import"
        ? { path: path.replace(/^(node:)?/, "node:"), namespace: "exports-as-used" }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: "exports-as-used" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule("${path}");`,
    }));
  },
};

/** Of undici, what Holdfast uses: no `fetch`, WebSocket, caches and mocks, which its entry point loads as well. */
const undiciAsUsed: Plugin = {
  name: "undici-as-used",
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/undici\/index\.js$/ }, () => ({
      contents: `
        Object.assign(require("./lib/dispatcher/dispatcher").prototype, require("./lib/api"));
        exports.Agent = require("./lib/dispatcher/agent");
        exports.Pool = require("./lib/dispatcher/pool");
        exports.EnvHttpProxyAgent = require("./lib/dispatcher/env-http-proxy-agent");
        exports.errors = require("./lib/core/errors");`,
    }));
  },
};

/** `node_modules/@scure/base/index.js` gives `@scure/base`; Holdfast's own files give "". */
function packageOf(path: string): string {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? "";
}
