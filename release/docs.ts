/**
 * Makes docs/CONFIG.md, docs/COMMANDS.md and config/holdfast.schema.json: `npm run docs`. With `--check` it writes nothing, names the pages that are
 * stale, and ends with 1 where there is one: `npm run check`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonSchema } from "../src/config/schema.ts";
import { commandsPage } from "./docs/commands-page.ts";
import { configPage } from "./docs/config-page.ts";

const ROOT = join(import.meta.dirname, "..");
const pages = {
  "docs/CONFIG.md": configPage(ROOT),
  "docs/COMMANDS.md": await commandsPage(),
  "config/holdfast.schema.json": JSON.stringify(jsonSchema(), null, 2),
};

for (const [name, page] of Object.entries(pages)) {
  const path = join(ROOT, name);
  const text = formatted(name, page);
  if (!process.argv.includes("--check")) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text) {
    console.error(`${name} is not what the program says: run npm run docs`);
    process.exitCode = 1;
  }
}

/** As `npm run format` would leave it. */
function formatted(name: string, input: string): string {
  const biome = join(ROOT, "node_modules/.bin/biome");
  return execFileSync(biome, ["format", `--stdin-file-path=${name}`], { cwd: ROOT, input, encoding: "utf8" });
}
