/**
 * What a vault of many people costs: `node test/bench/scale.ts --people 100000 --people 1000000`. Makes the log of such a
 * vault and no object, then runs the real program on it, one command after the other. Prints a column for each size.
 * Processor seconds are the program's own: store and provider are a directory and another process.
 */
import { statSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bytes, number } from "../../src/observe/format.ts";
import { CLIENT, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { holdfast, type Ran } from "./process.ts";
import { emailOf, makeScaleVault } from "./scale-vault.ts";

const { values } = parseArgs({ options: { people: { type: "string", multiple: true, default: ["10000", "100000"] } } });

/** A row of the table: what it says of one size. */
type Row = readonly [name: string, figure: string];

async function measure(people: number): Promise<Row[]> {
  await using sandbox = await startSandbox({ identities: people, pageSize: 500, files: false });
  await using vault = await makeScaleVault(people, { ...sandbox, due: inDays(3) });
  const { place } = vault;
  const rows: Row[] = [["the log", bytes(await sizeOf(place.path("vault")))]];
  const add = (name: string, { seconds, meter }: Ran): void => {
    rows.push([name, `${meter.cpu.toFixed(1)} s of processor, ${seconds.toFixed(1)} s, ${bytes(meter.peak)}`]);
    process.stderr.write(`  ${rows.at(-1)!.join(": ")}\n`);
  };
  add("rebuild", await holdfast("rebuild", place.file));
  rows.push(["the catalog", bytes(statSync(place.path("state", CLIENT, "catalog.sqlite")).size)]);
  add("status", await holdfast("status", place.file));
  add("report", await holdfast("report", place.file, "--offline"));
  add("verify, the log alone", await holdfast("verify", place.file, "--since", "2026-11-24"));
  add("locks of 0.1 % extended", await holdfast("retention extend", place.file));
  add("a retrieval by e-mail", await retrieve(place, 0));
  const night = await holdfast("export", place.file);
  const [summary] = (JSON.parse(night.stdout) as { clients: { unchanged: number }[] }).clients;
  if (summary?.unchanged !== people) throw new Error(`${summary?.unchanged} of ${people} were unchanged`);
  add("a night without changes", night);
  sandbox.change(people / 1000);
  add("a night with 0.1 % changed", await holdfast("export", place.file));
  return rows;
}

function retrieve(place: Workplace, n: number): Promise<Ran> {
  const asked = ["--case", "1", "--requested-by", "an auditor", "--reason", "a measurement"];
  return holdfast("retrieve", place.file, "--email", emailOf(n), ...asked, "--out", place.path("bag"));
}

function inDays(days: number): string {
  return Temporal.Now.instant()
    .add({ hours: 24 * days })
    .toString({ smallestUnit: "second" });
}

/** A vault in a directory has two names for the newest version of each object. */
async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const files = new Map<number, number>();
  for (const name of names) {
    const { ino, size } = await stat(join(folder, name));
    files.set(ino, size);
  }
  return files.values().reduce((sum, size) => sum + size, 0);
}

const columns = new Map<string, Row[]>();
for (const size of values.people) {
  const people = Number(size);
  process.stderr.write(`${number(people)} people\n`);
  columns.set(number(people), await measure(people));
}
const sizes = [...columns.keys()];
process.stdout.write(`| of people | ${sizes.join(" | ")} |\n|---|${sizes.map(() => "---:|").join("")}\n`);
for (const [at, [name]] of [...columns.values()][0]!.entries())
  process.stdout.write(`| ${name} | ${[...columns.values()].map((rows) => rows[at]![1]).join(" | ")} |\n`);
