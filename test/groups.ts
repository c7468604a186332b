import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** A process of the suite: the file that it is started with, and the test files that it runs, one after the other. */
export interface Group {
  readonly entry: string;
  readonly files: readonly string[];
}

/**
 * What a test file may not have to share a process: changes of what all code of a process shares, such as the environment
 * or a command's action; measurements of the whole process; a browser.
 */
const NEEDS_ITS_OWN = [
  /\bprocess\.(chdir|on|once|exit|exitCode|memoryUsage|cpuUsage)\b/,
  /\bprocess\.env(\.\w+|\[[^\]]+\])? \??=|\bdelete process\.env\b|\bObject\.assign\(process\b/,
  /\b(mock|registerHooks|globalThis|setFlagsFromString|gc|workOnDisk|prototype|programFor)\b/,
  /\/(chromium|firefox|webkit|viewer-page)\.ts"|"playwright-core"/,
];
/** Hooks outside a suite, which would run for the other files of the process too: such a file becomes a suite. */
const HOOKS = /^(before|after|beforeEach|afterEach)\(/m;
/** What belongs to a suite must be there before its function returns, so a file that waits while it loads cannot be one. */
const WAITS = /^(const|let) [^;{]*\bawait\b/m;
const SIZE = 12;

/**
 * Puts files into groups, always the same ones for the same files. Most files take less time than a process does to load
 * the program and to get fast. Those of `alone` get a process of their own, and so do all where there are few.
 */
export function groupsOf(root: string, files: readonly string[], alone: readonly string[]): Group[] {
  const own = (file: string): boolean => {
    if (files.length <= SIZE || alone.includes(file)) return true;
    const text = readFileSync(join(root, file), "utf8");
    return NEEDS_ITS_OWN.some((pattern) => pattern.test(text)) || (HOOKS.test(text) && WAITS.test(text));
  };
  const { true: single = [], false: shared = [] } = Object.groupBy(files, (file) => `${own(file)}` as "true" | "false");
  const groups = single.map((file): Group => ({ entry: join(root, file), files: [file] }));
  if (shared.length === 0) return groups;
  const folder = mkdtempSync(join(tmpdir(), "holdfast-groups-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (let at = 0; at < shared.length; at += SIZE) {
    const members = shared.slice(at, at + SIZE);
    const entry = join(folder, nameOf(members));
    writeFileSync(entry, text(root, members));
    groups.push({ entry, files: members });
  }
  return groups;
}

/** Named in what is printed when the process itself fails: `export-gaps-and-11-more.test.mjs`. */
function nameOf([first = "", ...others]: readonly string[]): string {
  return `${basename(dirname(first))}-${basename(first, ".test.ts")}-and-${others.length}-more.test.mjs`;
}

/** A file that cannot be loaded is a failure with its name, and the others run. `require` does not wait. */
function text(root: string, files: readonly string[]): string {
  const calls = files.map((file) => {
    const path = join(root, file);
    const hasHooks = HOOKS.test(readFileSync(path, "utf8"));
    return `${hasHooks ? "suite" : "await tests"}(${JSON.stringify([file, pathToFileURL(path).href])});`;
  });
  return `import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
const require = createRequire(import.meta.url);
const fails = (file, error) => test(file, () => Promise.reject(error));
const tests = ([file, url]) => import(url).catch((error) => fails(file, error));
const suite = ([file, url]) =>
  describe(file, () => {
    try {
      require(fileURLToPath(url));
    } catch (error) {
      fails(file, error);
    }
  });
${calls.join("\n")}
`;
}
