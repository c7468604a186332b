/**
 * How long `verify` and `rebuild` take and how much memory they use, by the size of the log. Runs the real command in a
 * child process. `node test/bench/verify.ts [--large]`; with HOLDFAST_TEST_S3 also a log on that server.
 *
 * The objects are laid out as the directory vault does, without flushing each one: it is reading that is measured.
 */
import { parseArgs } from "node:util";
import type { Workplace } from "../export/workplace.ts";
import { cephEndpoint } from "../servers/s3.ts";
import { type LogVault, makeLogVault } from "./log-vault.ts";

const { values } = parseArgs({ options: { large: { type: "boolean", default: false } } });
/** Objects stored before this are left out: all of them. The log itself is always checked whole. */
const LOG_ONLY = ["--since", "2999-01-01"];
/**
 * Says at the end what the process used. The peak is VmHWM, its own: maxRSS of a child begins with its parent's, and the
 * parent here has just written a log.
 */
const METER = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync } from "node:fs";
  process.on("exit", () => {
    const peak = Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
    process.stderr.write(JSON.stringify({ meter: { ...process.resourceUsage(), peak } }) + "\\n");
  });
`)}`;

interface Row {
  readonly what: string;
  readonly entries: number;
  readonly seconds: number;
  /** Seconds of processor time: what stays the same on a machine that has other things to do. */
  readonly cpu: number;
  /** Megabytes. */
  readonly peak: number;
}

const number = (value: number) => Math.round(value).toLocaleString("en-US");

async function measure(what: string, entries: number, place: Workplace, command: string, ...args: string[]) {
  const begun = performance.now();
  const ended = await place.holdfast(command, ["--quiet", "--json", ...args], { node: ["--import", METER] });
  const seconds = (performance.now() - begun) / 1000;
  if (ended.code !== 0) throw new Error(`${what} ended with ${ended.code}: ${ended.stderr.slice(0, 2000)}`);
  const meter = ended.log.find((line) => line.meter !== undefined)!.meter as NodeJS.ResourceUsage & { peak: number };
  const cpu = (meter.userCPUTime + meter.systemCPUTime) / 1e6;
  print({ what, entries, seconds, cpu, peak: meter.peak / 1024 });
}

function print({ what, entries, seconds, cpu, peak }: Row): void {
  line(what, number(entries), seconds.toFixed(1), cpu.toFixed(1), number(entries / seconds), `${number(peak)} MB`);
}

function line(what: string, ...columns: readonly string[]): void {
  process.stdout.write(`${what.padEnd(42)}${columns.map((column) => column.padStart(11)).join("")}\n`);
}

async function withLog(options: Parameters<typeof makeLogVault>[0], work: (vault: LogVault) => Promise<void>) {
  await using vault = await makeLogVault(options);
  await work(vault);
}

line("", "entries", "s", "cpu s", "entries/s", "peak");
for (const entries of [10_000, 100_000]) {
  await withLog({ entries, objects: true }, async ({ place }) => {
    await measure("verify: log and objects, in a directory", entries, place, "verify");
    await measure("verify --read-data 5%", entries, place, "verify", "--read-data", "5");
    await measure("verify: the log alone", entries, place, "verify", ...LOG_ONLY);
    await measure("rebuild", entries, place, "rebuild");
  });
  if (!cephEndpoint) continue;
  await withLog({ entries, vault: "ceph" }, async ({ place }) => {
    await measure("verify: the log alone, on Ceph RGW", entries, place, "verify", ...LOG_ONLY);
    await measure("rebuild, on Ceph RGW", entries, place, "rebuild");
  });
}
if (values.large) {
  const entries = 1_000_000;
  await withLog({ entries }, async ({ place }) => {
    await measure("verify: the log alone, in a directory", entries, place, "verify", ...LOG_ONLY);
    await measure("rebuild", entries, place, "rebuild");
  });
}
