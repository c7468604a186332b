import { appendFileSync } from "node:fs";
import fs from "node:fs/promises";
import http from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { StatementSync } from "node:sqlite";

/**
 * Loaded before the program (`--import`). Counts every moment at which something becomes durable, and kills the process
 * with SIGKILL at the chosen one. The program is not aware of it.
 *
 *     HOLDFAST_CRASH_TRACE=<file>          write the name of each moment
 *     HOLDFAST_CRASH_AT=<n>                die at moment n, counted from 1
 *     HOLDFAST_CRASH_BEFORE=<name>         die at the first moment of this name
 *     HOLDFAST_CRASH_NTH=<n>               … or at the nth of them
 *     HOLDFAST_CRASH_SINCE=<name>          but not before one of this name has passed
 *     HOLDFAST_CRASH_AFTER_MS=<ms>         die at a time instead
 *     HOLDFAST_CRASH_SIGNAL=SIGINT         send this signal instead, once
 *
 * There is a moment before and after each write: a file, a link, a rename, a removal, an S3 request that writes, and a
 * commit of the catalog.
 */
const { HOLDFAST_CRASH_TRACE: trace, HOLDFAST_CRASH_AT: at, HOLDFAST_CRASH_AFTER_MS: after } = process.env;
const { HOLDFAST_CRASH_BEFORE: named, HOLDFAST_CRASH_SIGNAL: signal = "SIGKILL" } = process.env;
let since = process.env.HOLDFAST_CRASH_SINCE;
let count = 0;
let nth = Number(process.env.HOLDFAST_CRASH_NTH ?? 1);
let isDone = false;

function moment(name: string): void {
  count += 1;
  if (trace) appendFileSync(trace, `${name}\n`);
  if (name === since) since = undefined;
  if (isDone || since !== undefined || !((at && count === Number(at)) || (name === named && --nth === 0))) return;
  isDone = true;
  process.kill(process.pid, signal);
}

if (after) setTimeout(() => process.kill(process.pid, "SIGKILL"), Number(after));

type AnyFunction = (...args: unknown[]) => unknown;

function around<T extends object>(
  owner: T,
  name: keyof T & string,
  label: (self: unknown, args: unknown[]) => string | null,
): void {
  const original = owner[name] as AnyFunction;
  (owner as Record<string, AnyFunction>)[name] = async function (this: unknown, ...args: unknown[]) {
    const what = label(this, args);
    if (what === null) return original.apply(this, args);
    moment(`before ${what}`);
    const result = await original.apply(this, args);
    moment(`after ${what}`);
    return result;
  };
}

const kind = (path: unknown): string => {
  const text = String(path);
  return /journal|checkpoint|catalog|tile\/entries|tile|records|files|lease|vault\.json/.exec(text)?.[0] ?? "other";
};

for (const name of ["link", "rename", "rm", "unlink", "truncate"] as const) {
  around(fs, name, (_self, args) => `${name} ${kind(args[1] ?? args[0])}`);
}
const probe = await fs.open(import.meta.filename, "r");
const handle = Object.getPrototypeOf(probe);
await probe.close();
for (const name of ["sync", "appendFile", "writeFile", "write"] as const) {
  around(handle, name, () => `${name} of a file`);
}

const request = http.request;
http.request = ((...args: Parameters<typeof request>) => {
  const options = args[0] as { method?: string; path?: string };
  if (!["PUT", "POST", "DELETE"].includes(options.method ?? "GET")) return request(...args);
  const what = `${options.method} ${kind(options.path)}`;
  moment(`before ${what}`);
  return request(...args).on("response", () => moment(`after ${what}`));
}) as typeof request;

const run = StatementSync.prototype.run;
StatementSync.prototype.run = function (this: StatementSync, ...args: Parameters<typeof run>) {
  if (this.sourceSQL !== "COMMIT") return run.apply(this, args);
  moment("before commit of the catalog");
  const result = run.apply(this, args);
  moment("after commit of the catalog");
  return result;
} as typeof run;

syncBuiltinESMExports();
