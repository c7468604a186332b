/**
 * Measures Holdfast and alternatives on this machine: `npm run bench`. Whole processes, in turn, three rounds, against
 * its own Ceph RGW with a locked bucket. Prints a table of medians; writes latest.json and chart.svg to this folder,
 * and the goals into docs/BENCHMARKS.md. Takes some fifteen minutes.
 *
 *     npm run bench -- --quick          one round, smaller; writes nothing
 *     npm run bench -- --only export    seal, export, concurrency, memory, night, lookup or verify; writes nothing
 *
 * HOLDFAST_TEST_S3 names an S3 server to use instead of its own.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { number } from "../../src/observe/format.ts";
import { type Ceph, installed, startCeph } from "../servers/ceph.ts";
import { chart } from "./chart.ts";
import { markdown, Report, table } from "./report.ts";

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

const started = process.env.HOLDFAST_TEST_S3 === undefined ? await start() : undefined;
try {
  // The tests' own modules read the server's address when they are loaded.
  const { sealing } = await import("./sealing.ts");
  const { exporting, concurrencies, ...names } = await import("./exporting.ts");
  const { largeFile } = await import("./large-file.ts");
  const { night, PARSING } = await import("./night.ts");
  const { looking } = await import("./looking.ts");
  const { verifying, verifyGroup, EACH, LISTED } = await import("./verifying.ts");
  const { HOLDFAST, STORE, PLAIN, RCLONE } = names;

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

  await part("lookup", () => looking(report, quick ? 10_000 : 100_000));
} finally {
  started?.stop();
}

const result = report.result(quick);
process.stdout.write(`\n${table(result)}`);
if (quick || only) process.stderr.write("\nin part: nothing was written\n");
else {
  await writeFile(beside("latest.json"), `${JSON.stringify(result, null, 2)}\n`);
  await writeFile(beside("chart.svg"), chart(result));
  const page = beside("../../docs/BENCHMARKS.md");
  const text = await readFile(page, "utf8");
  await writeFile(
    page,
    text.replace(/(?<=<!-- bench -->\n)[\s\S]*(?=<!-- \/bench -->)/, () => `\n${markdown(result)}\n`),
  );
}
if (report.failures.length > 0) process.exitCode = 1;

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
