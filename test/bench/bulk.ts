/**
 * What extension in bulk costs this machine: `node test/bench/bulk.ts 150000`. Fills a catalog with so many people, each with
 * a record and three files whose locks are due, and asks no store.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TaskOutcomes } from "../../src/bulk/outcomes.ts";
import { planExtension } from "../../src/bulk/plan.ts";
import { readManifests } from "../../src/bulk/read-manifests.ts";
import { standing } from "../../src/bulk/standing.ts";
import { writeManifests } from "../../src/bulk/write-manifests.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import type { S3VaultConfig } from "../../src/config/config.ts";
import { bytes, number } from "../../src/observe/format.ts";
import { parsePolicy } from "../../src/retention/policy.ts";
import { recordKey } from "../../src/vault/layout.ts";

const PEOPLE = Number(process.argv[2] ?? 50_000);
const FILES = 3;
const AT = Temporal.Instant.from("2026-12-20T00:00:00Z");

function fill(path: string): void {
  Catalog.empty(path, "o").close();
  const db = new DatabaseSync(path);
  const n = (count: number) => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
  const version = "unhex('202611231015000123456789AB')";
  const [time, until] = ["unhex('20261123101500')", "unhex('20270101000000')"];
  const id = "'PZ9ibn9D5lP6p298B7S9_ceqx1n5EJ0p'";
  // Subjects are digests, in no order.
  const subject = "unhex(printf('%08x%024x', (i * 2654435761) & 4294967295, i))";
  db.exec(`PRAGMA synchronous = OFF; BEGIN;
    INSERT INTO person ${n(PEOPLE)} SELECT i, ${subject} FROM n;
    INSERT INTO subject (person, version, entry, withheld) ${n(PEOPLE)} SELECT i, ${version}, i, 0 FROM n;
    INSERT INTO version ${n(PEOPLE)}
      SELECT i, ${version}, i, ${time}, ${time}, ${id}, 1, x'ab', ${until}, 0, 0, ${FILES} FROM n;
    INSERT INTO file ${n(PEOPLE * FILES)}
      SELECT 1 + (i - 1) / ${FILES}, unhex(printf('%032x', i)), ${version}, 1, ${id}, 1, x'ab', 1, 1, ${until}, 0 FROM n;
    COMMIT`);
  db.close();
}

async function measured(name: string, work: () => unknown): Promise<void> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1_000_000;
  const each = ((seconds / (PEOPLE * (1 + FILES))) * 1_000_000).toFixed(1);
  console.log(`${name}: ${seconds.toFixed(1)} s of processor, ${each} µs an object, ${peak()} at most`);
}

const peak = (): string => bytes(process.resourceUsage().maxRSS * 1024);

const folder = mkdtempSync(join(tmpdir(), "holdfast-bulk-"));
try {
  fill(join(folder, "catalog.sqlite"));
  const catalog = Catalog.open(join(folder, "catalog.sqlite"), "o");
  const clock = "P5Y from relationship-end";
  const policy = { identifying: clock, verification: clock, files: clock, lock: "governance" };
  const retention = parsePolicy({ ...policy, initialLock: "P90D", extendWhenLessThan: "P30D" });
  const vault = {
    ...{ kind: "s3", url: "s3://acme/v", bucket: "acme", prefix: "v", lock: "governance", region: "eu-central-1" },
    ...{ lockRate: { count: 1, per: 1_000 }, concurrency: 16 },
  } as S3VaultConfig;
  const { signal } = new AbortController();
  const looking = { config: { retention, vault }, catalog, at: AT, signal, onSubject: () => {} };
  const out = join(folder, "out");
  console.log(`${number(PEOPLE)} people, ${number(PEOPLE * (1 + FILES))} objects`);
  await measured("plan", () => planExtension("acme", looking, undefined));
  const index = await writeManifests("acme", vault, looking, out);
  await measured("manifests", () => writeManifests("acme", vault, looking, `${out}-2`));
  const outcomes = new TaskOutcomes(join(folder, "outcomes.sqlite"), () => {});
  await measured("manifests read", () => readManifests(out, index, { place: vault, into: outcomes, signal }));
  for (const page of catalog.locks.before("2099-01-01T00:00:00Z")) {
    for (const subject of page) {
      for (const { version, versionId } of catalog.kept.records(subject))
        outcomes.report({ subject, key: recordKey(subject, version), versionId, failure: "" }, 0);
    }
  }
  await measured("sorted", () => outcomes.finish());
  await measured("held against the log", () => {
    const lock = { mode: "governance", until: AT.add({ hours: 24 * 90 }) } as const;
    for (const outcome of outcomes.all()) standing(catalog, outcome, lock);
  });
  outcomes.close();
  catalog.close();
} finally {
  rmSync(folder, { recursive: true });
}
