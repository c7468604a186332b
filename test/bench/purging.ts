/**
 * A purge of many people, its certificate and the certificate's check: time, peak memory, size. Prints a table.
 *
 *     node test/bench/purging.ts --people 200000                             a vault in a directory
 *     node test/bench/purging.ts --people 200000 --certificate               people purged long ago, certified again
 *     HOLDFAST_TEST_S3=… node test/bench/purging.ts --people 5000 --ceph     one in a bucket
 *
 * Each person has one sealed record of 4,630 bytes. The log's own writer writes the vault; the purge is the real
 * command.
 */
import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bytes, number } from "../../src/observe/format.ts";
import { makeLogVault } from "./log-vault.ts";
import { holdfast, type Ran } from "./process.ts";

const { values } = parseArgs({
  options: {
    people: { type: "string", default: "200000" },
    ceph: { type: "boolean", default: false },
    certificate: { type: "boolean", default: false },
  },
});
const people = Number(values.people);

await using vault = await makeLogVault({
  ...{
    entries: people,
    objects: () => true,
    lockedUntil: () => "2026-11-23T12:00:00Z",
    purged: values.certificate ? people : 0,
    vault: values.ceph ? "ceph" : "directory",
  },
});
const { place } = vault;
if (!values.certificate) {
  const short = { keep: "P1D", from: "exported", initialLock: "P1D", extendWhenLessThan: "PT1H" };
  await place.configure({ retention: short });
}

const rows: [what: string, ran: Ran][] = [];
async function measured(what: string, command: string, ...args: string[]): Promise<unknown> {
  const ran = await holdfast(command, place.file, ...args);
  rows.push([what, ran]);
  process.stderr.write(`  ${what}: ${ran.seconds.toFixed(1)} s, ${bytes(ran.meter.peak)} at most\n`);
  return JSON.parse(ran.stdout);
}

let run = "bench";
await measured("rebuild of the catalog, before", "rebuild");
if (!values.certificate) {
  const out = place.path("destroyed");
  const done = (await measured("purge, with its certificate", "retention purge", "--confirm", "--out", out)) as {
    run: string;
    subjects: number;
  };
  assert.equal(done.subjects, people);
  run = done.run;
}
const folder = place.path("again");
await measured("the certificate alone", "retention certificate", "--run", run, "--out", folder);
await measured("its check", `verify ${folder}`);

process.stdout.write(`${number(people)} people, vault in a ${values.ceph ? "bucket on Ceph RGW" : "directory"}\n`);
for (const [what, { seconds, meter }] of rows) {
  const of = `${seconds.toFixed(1).padStart(9)} s  ${meter.cpu.toFixed(1).padStart(9)} s of the processor`;
  process.stdout.write(`${what.padEnd(32)}${of}  ${bytes(meter.peak).padStart(8)} at most\n`);
}
for (const name of await readdir(folder)) {
  process.stdout.write(`${name.padEnd(32)}${bytes((await stat(join(folder, name))).size).padStart(11)}\n`);
}
