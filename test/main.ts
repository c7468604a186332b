import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { type Group, groupsOf } from "./groups.ts";
import { workInMemory } from "./memory.ts";
import { globalSetup, globalTeardown, shareDrawings } from "./setup.ts";

/**
 * `npm test`: all test files, or those that are named. `--fast`: those that start no process and took little time when
 * they last ran.
 *
 * Most files share processes (test/groups.ts). What took longest the last time begins, so that all workers end together;
 * what was never run, by a guess. Four at once on two cores: some wait for a clock.
 */
const CONCURRENCY = 4;
/** Where no times are known, as in CI: those that take half a minute and more begin. */
const SLOWEST = [
  ...["retention/crash", "retention/century", "workers/workers", "image/build", "viewer/viewer", "release/debian"],
  ...["cli/canary", "export/large-answers", "backfill/backfill", "net/proxy", "cli/three-clients", "retention/extend"],
  ...["release/executable", "crash/crash", "docs/demo", "docs/first-vault"],
].map((name) => join("test", `${name}.test.ts`));
/** Of one file that is fast, in ms. */
const LITTLE = 2_000;
/** Of one process at most, in ms: one that hangs must not take the whole of CI's time. */
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
/** A guess, in ms. The conformance suite mostly waits, so it begins, beside those that need the processor. */
function unknown(file: string): number {
  if (SLOWEST.includes(file)) return Number.POSITIVE_INFINITY;
  if (file.startsWith(join("test", "source", "conformance"))) return 30_000;
  return startsProcesses(file) ? 20_000 : 6_000;
}
const isSlow = (file: string): boolean => startsProcesses(file) || (times[file] ?? 0) > LITTLE;
const chosen = (named.length > 0 ? named : all).filter((file) => !isFast || !isSlow(file));

workInMemory();
shareDrawings();
const groups = groupsOf(root, chosen, SLOWEST);
const took = ({ files }: Group): number => files.reduce((sum, file) => sum + (times[file] ?? unknown(file)), 0);
const rank = ({ files }: Group): number => SLOWEST.indexOf(files[0]!) + 1 || SLOWEST.length + 1;
// Two infinite times are equal, but their difference is not a number.
groups.sort((a, b) => (took(a) === took(b) ? rank(a) - rank(b) : took(b) - took(a)));
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
const files = groups.map(({ entry }) => entry);
const execArgv = named.length > 0 ? [] : ["--import", join(import.meta.dirname, "untracked.ts")];
const tests = run({ files, concurrency: CONCURRENCY, timeout: LONGEST, signal: stop.signal, execArgv });
tests.on("test:fail", () => {
  process.exitCode = 1;
});
tests.on("test:summary", ({ success }) => {
  if (!success) process.exitCode = 1;
});
const measured: Record<string, number> = {};
tests.on("test:complete", ({ file, name, nesting, details }) => {
  // Tests within suites count as a part of these, and a process as a whole is no test.
  if (file === undefined || nesting > 0 || name === file) return;
  // A file that is a suite (test/groups.ts) has its own name.
  const path = all.includes(name) ? name : relative(root, file);
  measured[path] = (measured[path] ?? 0) + Math.round(details.duration_ms);
});
tests.on("end", () => {
  writeTimes();
  void globalTeardown();
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
  writeFileSync(TIMES, JSON.stringify({ ...times, ...measured }));
}
