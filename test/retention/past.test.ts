import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { mock, test } from "node:test";
import fc from "fast-check";
import { type Entry, encodeEntry } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import type { RetentionConfig } from "../../src/config/config.ts";
import { purgeOf, purges } from "../../src/retention/purge-plan.ts";
import { fileKey, recordKey } from "../../src/vault/layout.ts";
import { entries, law, NAMES, run, SUBJECTS, time, VERSIONS } from "./random-log.ts";

/** What is past its date, as asked of everyone one by one, without an index. */
test("who has something past a date is found without looking at everyone", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-past-"));
  let [count, past] = [0, 0];
  try {
    fc.assert(
      fc.property(entries, law, time, fc.integer({ min: -1, max: 1 }), (log, terms, moment, shift) => {
        const retention = terms as RetentionConfig;
        const catalog = Catalog.temporary(join(folder, `${count++}`), "origin");
        catalog.apply(log.map((each, index) => ({ index, bytes: encodeEntry(each as unknown as Entry) })));
        const all = Array.from(catalog.subjects.all(), ({ subject }) => subject).sort();
        // Where something is past, also at the moment when it becomes so, and a second before and after that.
        const ends = all.flatMap((subject) => purgeOf(catalog, retention, subject, FAR)?.terms ?? []);
        const moments = [moment, ...ends.map(({ until }) => String(until))];
        for (const at of moments) {
          const now = Temporal.Instant.from(at).add({ seconds: shift });
          const right = all.flatMap((subject) => purgeOf(catalog, retention, subject, now) ?? []);
          past += right.length;
          assert.deepEqual([...purges(catalog, retention, now)], right);
        }
        catalog.close();
      }),
      { numRuns: 150, examples: [UNLISTED] },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.ok(past > 500, `only ${past} were past a date`);
});

test("who may have something past a date is found by an index", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-past-"));
  const path = join(folder, "catalog.sqlite");
  const iterate = mock.method(StatementSync.prototype, "iterate");
  try {
    const catalog = Catalog.empty(path, "origin");
    const year = "2026-01-01T00:00:00Z";
    const bounds = { endedUpTo: "2026-01-01", storedBefore: year, updatedBefore: year };
    assert.deepEqual([...catalog.subjects.candidates(bounds)], []);
    const { sourceSQL } = iterate.mock.calls.at(-1)!.this as StatementSync;
    catalog.close();
    const db = new DatabaseSync(path, { readOnly: true });
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${sourceSQL}`).all() as { detail: string }[];
    db.close();
    const reads = plan.map(({ detail }) => detail).filter((step) => /^(SCAN|SEARCH)/.test(step));
    assert.equal(reads.length, 8, reads.join("\n"));
    for (const read of reads)
      assert.match(read, /^SEARCH \w+ USING|^SCAN file USING COVERING INDEX file_unlisted$|^SCAN found$/);
  } finally {
    iterate.mock.restore();
    rmSync(folder, { recursive: true });
  }
});

/** A purge that was killed left the file, and the version was then stored again without it. */
const UNLISTED: [unknown[], unknown, string, number] = (() => {
  const at = "2026-01-01T00:30:00Z";
  const [subject, version] = [SUBJECTS[0]!, VERSIONS[0]!];
  const same = { versionId: "v1", size: 1, sha256: "ab".repeat(32) };
  const record = { key: recordKey(subject, version), ...same };
  const file = { key: fileKey(subject, NAMES[0]!), ...same, lockedUntil: at, type: "selfie", mediaType: "image/png" };
  const of = { time: at, run, subject };
  const kept = {
    ...of,
    type: "record.stored",
    version,
    updated: at,
    lockedUntil: at,
    lockMode: "governance",
    withheld: 0,
  };
  const store = { ...kept, recipients: [], lookups: {}, object: record };
  const purge = { ...of, type: "record.purged", whole: false, objects: [{ ...record, versions: 1, due: at }] };
  const month = { keep: Temporal.Duration.from("P1M"), from: "relationship-end" };
  const classes = { identifying: month, verification: month, files: month };
  const log = [{ ...store, files: [file] }, purge, { ...store, files: [] }];
  return [log, { classes, timezone: undefined, minimum: undefined }, at, 0];
})();

const FAR = Temporal.Instant.from("2099-01-01T00:00:00Z");
