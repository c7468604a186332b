import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { workInMemory } from "./memory.ts";
import { globalSetup, globalTeardown, shareDrawings } from "./setup.ts";

/**
 * `npm test`: all test files, or those that are named. `--fast`: those that start no process and took little time when
 * they last ran.
 *
 * Node's own command line takes files in the order of their names. Here those that took longest the last time begin, so
 * that all workers end together. What was never run comes before them if it starts processes, else after them. Four at
 * once on two cores: some wait for a clock.
 */
const CONCURRENCY = 4;
/** Where no times are known, as in CI: those that take half a minute and more begin. */
const SLOWEST = [
  ...["retention/crash", "retention/century", "workers/workers", "image/build", "viewer/viewer", "release/debian"],
  ...["cli/canary", "export/large-answers", "backfill/backfill", "net/proxy", "cli/three-clients", "retention/extend"],
  ...["release/executable", "crash/crash", "docs/demo", "docs/first-vault"],
].map((name) => join("test", `${name}.test.ts`));
/** Of one file that is fast, in ms. */
const LITTLE = 5_000;
/** Of one file at most, in ms: one that hangs must not take the whole of CI's time. */
const LONGEST = 15 * 60_000;
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
const took = (file: string): number => times[file] ?? (startsProcesses(file) ? Number.POSITIVE_INFINITY : 0);
const isSlow = (file: string): boolean => startsProcesses(file) || (times[file] ?? 0) > LITTLE;
const chosen = (named.length > 0 ? named : all).filter((file) => !isFast || !isSlow(file));
const rank = (file: string): number => SLOWEST.indexOf(file) + 1 || SLOWEST.length + 1;
chosen.sort((a, b) => (took(a) === took(b) ? rank(a) - rank(b) : took(b) - took(a)));

workInMemory();
shareDrawings();
if (!isFast) await globalSetup();
const stop = new AbortController();
// Ctrl-C stops the servers too.
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => {
    stop.abort();
    void globalTeardown();
    process.exit(1);
  });
}
const files = chosen.map((file) => join(root, file));
const tests = run({ files, concurrency: CONCURRENCY, timeout: LONGEST, signal: stop.signal });
tests.on("test:fail", () => {
  process.exitCode = 1;
});
tests.on("test:summary", ({ file, duration_ms, success }) => {
  if (!success) process.exitCode = 1;
  if (file !== undefined) times[relative(root, file)] = Math.round(duration_ms);
  else writeTimes();
});
tests.on("end", () => void globalTeardown());
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
