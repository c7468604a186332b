import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { workInMemory } from "./memory.ts";

/**
 * `npm test`: all test files, or those that are named. `--fast`: those that start no process and took little time when
 * they last ran.
 *
 * Node's own command line takes files in the order of their names. Here those that took longest the last time begin, so
 * that all workers end together; what was never run comes before them. Three at once on two cores: some wait for a clock.
 */
const CONCURRENCY = 3;
/** Of one file that is fast, in ms. */
const LITTLE = 5_000;
const root = join(import.meta.dirname, "..");
const TIMES = join(root, "node_modules/.cache/holdfast/test-times.json");

const args = process.argv.slice(2);
const isFast = args.includes("--fast");
const named = args.filter((arg) => !arg.startsWith("--"));
const all = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join("test", name))
  .sort();
const times = readTimes();
const took = (file: string): number => times[file] ?? Number.POSITIVE_INFINITY;
const isSlow = (file: string): boolean => startsProcesses(file) || (times[file] ?? 0) > LITTLE;
const chosen = (named.length > 0 ? named : all).filter((file) => !isFast || !isSlow(file));
chosen.sort((a, b) => (took(a) === took(b) ? 0 : took(b) - took(a)));

workInMemory();
const tests = run({
  files: chosen.map((file) => join(root, file)),
  concurrency: CONCURRENCY,
  ...(isFast ? {} : { globalSetupPath: join(import.meta.dirname, "setup.ts") }),
});
tests.on("test:fail", () => {
  process.exitCode = 1;
});
tests.on("test:summary", ({ file, duration_ms, success }) => {
  if (!success) process.exitCode = 1;
  if (file !== undefined) times[relative(root, file)] = Math.round(duration_ms);
  else writeTimes();
});
tests.compose(spec).pipe(process.stdout);

/** Whether a test, or anything below test/ that it imports, starts a process: a server, a browser, the program itself. */
function startsProcesses(file: string, seen = new Set<string>()): boolean {
  seen.add(file);
  const text = readFileSync(join(root, file), "utf8");
  if (/"node:child_process"|"playwright-core"/.test(text)) return true;
  return [...text.matchAll(/\bfrom "(\.[^"]+)"/g)].some(([, to]) => {
    const next = join(dirname(file), to!);
    return next.startsWith("test/") && next.endsWith(".ts") && !seen.has(next) && startsProcesses(next, seen);
  });
}

function readTimes(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(TIMES, "utf8"));
  } catch {
    return {};
  }
}

function writeTimes(): void {
  mkdirSync(dirname(TIMES), { recursive: true });
  writeFileSync(TIMES, JSON.stringify(times));
}
