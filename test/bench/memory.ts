/**
 * Peak memory of an export of identities without files, which must not grow with their number. Prints a table.
 *
 *     node test/bench/memory.ts                             1,000 and 20,000 to a directory
 *     HOLDFAST_TEST_S3=… node test/bench/memory.ts --ceph   1,000 and 5,000 to Ceph
 */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import type { Summary } from "../../src/export/summary.ts";
import { bytes, number } from "../../src/observe/format.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

const MOST = 50_000_000;

interface Peak {
  readonly identities: number;
  readonly run: string;
  /** Bytes. */
  readonly peak: number;
  readonly seconds: number;
}

async function measured(place: Workplace, identities: number, run: string): Promise<Peak> {
  const figure = place.path("peak");
  const hook = place.path("peak.mjs");
  await writeFile(
    hook,
    `import { writeFileSync } from "node:fs";
     process.on("exit", () => writeFileSync(${JSON.stringify(figure)}, String(process.resourceUsage().maxRSS)));`,
  );
  const { code, json, stderr } = await place.holdfast("export", ["--json"], { node: ["--import", hook] });
  assert.equal(code, 0, stderr);
  const [summary] = (json as { clients: Summary[] }).clients;
  assert.equal(summary!.new + summary!.unchanged, identities);
  return { identities, run, peak: Number(await readFile(figure, "utf8")) * 1024, seconds: summary!.seconds };
}

const ceph = process.argv.includes("--ceph");
const peaks: Peak[] = [];
for (const identities of ceph ? [1000, 5000] : [1000, 20_000]) {
  await using sandbox = await startSandbox({ identities, pageSize: 100, files: false });
  await using place = await makeWorkplace(sandbox, {
    vault: ceph ? "ceph" : "directory",
    client: { source: { rate: "10000/s", concurrency: 16 } },
  });
  for (const run of ["first", "unchanged"]) peaks.push(await measured(place, identities, run));
}

console.log(`vault      ${ceph ? "Ceph RGW" : "directory"}`);
console.log("identities  run          peak      seconds");
for (const { identities, run, peak, seconds } of peaks)
  console.log(
    `${number(identities).padStart(10)}  ${run.padEnd(9)}  ${bytes(peak).padStart(7)}  ${seconds.toFixed(1).padStart(9)}`,
  );
for (const name of ["first", "unchanged"]) {
  const [few, many] = peaks.filter(({ run }) => run === name);
  const difference = many!.peak - few!.peak;
  console.log(`${name}: ${bytes(Math.abs(difference))} ${difference < 0 ? "less" : "more"} for the many`);
  if (difference > MOST) process.exitCode = 1;
}
