/**
 * Measures Holdfast and alternatives on this machine: `npm run bench`. Whole processes, in turn, three rounds, against
 * its own Ceph RGW with a locked bucket. Prints a table of medians; writes latest.json and chart.svg to this folder,
 * and the tables into docs/BENCHMARKS.md. Takes some twenty minutes.
 *
 *     npm run bench -- --quick          one round, smaller; writes nothing
 *     npm run bench -- --only export    seal, export, processor, concurrency, memory, night, lookup or verify; writes
 *                                       nothing
 *     npm run bench -- --only cost      what a night costs, of the last whole run's figures; writes it
 *
 * HOLDFAST_TEST_S3 names an S3 server to use instead of its own.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { number } from "../../src/observe/format.ts";
import { type Ceph, installed, startCeph } from "../servers/ceph.ts";
import { chart } from "./chart.ts";
import { costTable, perObject } from "./cost.ts";
import { markdown, Report, sideBySide, table } from "./report.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string", multiple: true } },
});
const { quick, only } = values;
const rounds = quick ? 1 : 3;
const report = new Report();
const beside = (name: string) => join(import.meta.dirname, name);

/** Runs one part; if it fails, the other parts are still measured. */
async function part(name: string, work: () => Promise<void>): Promise<void> {
  if (only && !only.includes(name)) return;
  process.stderr.write(`${name}\n`);
  try {
    await work();
  } catch (error) {
    report.failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.stderr.write(`  failed: ${report.failures.at(-1)}\n`);
  }
}

const WITHOUT_CEPH = ["seal", "processor", "cost"];
const isNeeded = !only || only.some((name) => !WITHOUT_CEPH.includes(name));
const started = isNeeded && process.env.HOLDFAST_TEST_S3 === undefined ? await start() : undefined;
try {
  // The tests' own modules read the server's address when they are loaded.
  const { sealing } = await import("./sealing.ts");
  const { exporting, concurrencies, ...names } = await import("./exporting.ts");
  const { processor, processorGroup, RESTIC } = await import("./processor.ts");
  const { largeFile } = await import("./large-file.ts");
  const { night, PARSING } = await import("./night.ts");
  const { looking } = await import("./looking.ts");
  const { verifying, verifyGroup, aboutObjects, EACH, LISTED, INVENTORIED } = await import("./verifying.ts");
  const { HOLDFAST, STORE, PLAIN, AGE, RCLONE } = names;

  await part("seal", () => sealing(report, rounds));
  for (const [size, reach] of [
    ["4 KB", 3],
    ["5 MB", 4],
  ] as const)
    report.ratio(
      `sealing ${size}: Holdfast to age-encryption`,
      report.paired(`sealing ${size}, two recipients`, "Holdfast", "age-encryption"),
      { least: reach },
    );

  const workloads = {
    "4 KB": { people: quick ? 500 : 2000, files: 0, fileBytes: 0 },
    "1 MB": { people: quick ? 30 : 100, files: 3, fileBytes: 1024 * 1024 },
  };
  for (const [size, workload] of Object.entries(workloads)) {
    await part("export", () => exporting(report, size, workload, rounds));
    for (const kind of [STORE, HOLDFAST]) {
      const to = (other: string) => report.paired(`export, ${size}`, kind, other);
      report.ratio(`export, ${size}: ${kind}, to ${PLAIN}`, to(PLAIN), { least: 0.85 });
      report.ratio(`export, ${size}: ${kind}, to ${RCLONE}`, to(RCLONE), { least: 1.2 });
    }
    report.ratio(`S3 requests per object, ${size}`, report.median(`S3 requests per object, ${size}`, HOLDFAST), {
      most: 1.05,
    });
  }

  for (const [size, workload] of Object.entries(workloads)) {
    await part("processor", () => processor(report, size, workload, rounds));
    // docs/BENCHMARKS.md says why so much: restic sends thousands of small files as one object.
    for (const [other, reach] of [
      [AGE, 1],
      [RCLONE, size === "4 KB" ? 3 : 2],
      [RESTIC, size === "4 KB" ? 10 : 1.5],
    ] as const)
      report.ratio(
        `processor time per object, ${size}: ${HOLDFAST}, to ${other}`,
        report.paired(processorGroup(size), HOLDFAST, other),
        { most: reach },
      );
  }

  const files = { people: quick ? 10 : 20, files: 3, fileBytes: 5 * 1024 * 1024 };
  for (const [size, workload] of Object.entries({ "4 KB": workloads["4 KB"], "5 MB": files }))
    await part("concurrency", () => concurrencies(report, size, workload, rounds));
  report.ratio(
    "MB at most, 16 files of 5 MB in flight",
    report.median("in flight at the vault, 5 MB: peak memory", "16"),
    {
      most: 150,
    },
  );

  await part("memory", () => largeFile(report, 500_000_000, rounds));
  report.ratio("MB at most, of a file of 500 MB", report.median("a file of 500 MB", "export, peak memory"), {
    most: 250,
  });

  const few = 10_000;
  const many = quick ? 20_000 : 100_000;
  for (const people of [few, many]) await part("night", () => night(report, people, rounds));
  const planned = (people: number, name: string) =>
    report.median(`no-change night, ${number(people)} identities`, name);
  for (const people of [few, many]) {
    const group = `no-change night, ${number(people)} identities`;
    report.ratio(`planning ${number(people)} identities, to ${PARSING}`, report.paired(group, "planning", PARSING), {
      least: 0.5,
    });
  }
  const peaks = [many, few].map((people) => planned(people, "planning, peak memory") ?? Number.NaN);
  report.ratio(`planning memory, ${number(many)} to ${number(few)}`, peaks[0]! / peaks[1]!, { most: 1.25 });

  const kept = quick ? 10_000 : 30_000;
  await part("verify", () => verifying(report, kept, rounds));
  report.ratio(
    `verify, ${number(kept)} objects: ${LISTED}, to ${EACH}`,
    report.paired(verifyGroup(kept), LISTED, EACH),
    { least: 5 },
  );
  // A listing says 1,000 objects a request, and each of three prefixes is listed.
  report.ratio(
    `verify, ${number(kept)} objects: requests about objects, ${EACH}, to ${INVENTORIED}`,
    report.paired(verifyGroup(kept), aboutObjects(EACH), aboutObjects(INVENTORIED)),
    { least: 900 },
  );

  await part("lookup", () => looking(report, quick ? 10_000 : 100_000));
} finally {
  started?.stop();
}

const result = report.result(quick);
process.stdout.write(`\n${table(result)}`);
const cost = costTable(await perObject(result));
const isWhole = !quick && !only;
if (isWhole || only?.includes("cost")) process.stdout.write(`\nwhat a night costs\n${cost}`);
if (isWhole) {
  await writeFile(beside("latest.json"), `${JSON.stringify(result, null, 2)}\n`);
  await writeFile(beside("chart.svg"), chart(result));
  await writePart("bench", markdown(result));
  await writePart("processor", sideBySide(result));
} else process.stderr.write("\nin part: no measurement was written\n");
// It is computed, so it is as true after a part.
if (isWhole || only?.includes("cost")) await writePart("cost", cost);
if (report.failures.length > 0) process.exitCode = 1;

/** Between its two marks in docs/BENCHMARKS.md. */
async function writePart(name: string, text: string): Promise<void> {
  const page = beside("../../docs/BENCHMARKS.md");
  const before = await readFile(page, "utf8");
  const place = new RegExp(`(?<=<!-- ${name} -->\\n)[\\s\\S]*(?=<!-- /${name} -->)`);
  if (!place.test(before)) throw new Error(`docs/BENCHMARKS.md has no place for ${name}`);
  await writeFile(
    page,
    before.replace(place, () => `\n${text}\n`),
  );
}

async function start(): Promise<Ceph> {
  if (!installed()) throw new Error("Ceph is not installed: see CONTRIBUTING.md");
  process.stderr.write("starting Ceph RGW …\n");
  const ceph = await startCeph();
  process.env.HOLDFAST_TEST_S3 = ceph.endpoint;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      ceph.stop();
      process.exit(130);
    });
  }
  return ceph;
}
