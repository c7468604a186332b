import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The page in every bag. It is committed, so that making a bag takes no bundler. */
export const VIEWER = here("viewer.html");

/** Whose code is in it; their licences go with it. */
const BUNDLED = [
  "age-encryption",
  "@noble/ciphers",
  "@noble/curves",
  "@noble/hashes",
  "@noble/post-quantum",
  "@scure/base",
  "fflate",
];

/** The whole page, the same bytes for the same sources. */
export async function buildViewer(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here("main.ts")],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: ["chrome123", "firefox120", "safari17.5"],
    minify: true,
    legalComments: "none",
    alias: { "node:crypto": here("node-crypto.ts") },
    inject: [here("buffer.ts")],
    absWorkingDir: here("."),
  });
  const script = outputFiles[0]!.text.trim();
  const style = (
    await transform(await readFile(here("viewer.css"), "utf8"), { loader: "css", minify: true })
  ).code.trim();
  const policy = [
    "default-src 'none'",
    "connect-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src blob:",
    "media-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const licences = await Promise.all(
    BUNDLED.map(async (name) => `${name}\n\n${await readFile(here(`../../node_modules/${name}/LICENSE`), "utf8")}`),
  );
  const parts = {
    POLICY: policy,
    "/* style */": style,
    "/* script */": script,
    LICENCES: licences.join("\n").replaceAll("--", "- -"),
  };
  const page = await readFile(here("page.html"), "utf8");
  return Object.entries(parts).reduce((whole, [mark, part]) => whole.replace(mark, () => part), page);
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

if (import.meta.main) {
  const page = await buildViewer();
  if (!process.argv.includes("--check")) await writeFile(VIEWER, page);
  else if ((await readFile(VIEWER, "utf8")) !== page) {
    process.stderr.write("viewer.html is not what its sources give. Fix: npm run viewer\n");
    process.exitCode = 1;
  }
}
