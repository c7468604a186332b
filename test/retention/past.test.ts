import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { mock, test } from "node:test";
import fc from "fast-check";
import { type Entry, encodeEntry } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import type { Keep, RetentionConfig } from "../../src/config/config.ts";
import { purgeOf, purges } from "../../src/retention/purge-plan.ts";
import { fileKey, recordKey } from "../../src/vault/layout.ts";

/** Random people and laws: what is past its date, as asked of everyone one by one, without an index. */
const SUBJECTS = ["00", "0f", "a1", "b7", "ff"].map((start) => start.padEnd(32, "0"));
const VERSIONS = ["20260101T101500Z-0123456789ab", "20280229T101500Z-ffffffffffff", "20310131T000000Z-000000000000"];
const NAMES = ["00", "7f"].map((start) => start.padEnd(32, "e"));
const run = "20261123T101500Z-abcdef";

/** Near the ends of months and of a leap year, whose days and periods differ most. */
const time = fc
  .record({
    year: fc.integer({ min: 2026, max: 2034 }),
    month: fc.constantFrom("01", "02", "03", "12"),
    day: fc.constantFrom("01", "28"),
    hour: fc.constantFrom("00", "10", "13", "23"),
  })
  .map(({ year, month, day, hour }) => `${year}-${month}-${day}T${hour}:30:00Z`);
const common = { time, run: fc.constant(run), subject: fc.constantFrom(...SUBJECTS) };
const digest = { versionId: fc.constant("v1"), size: fc.constant(1), sha256: fc.constant("ab".repeat(32)) };
const stored = fc
  .record({ ...common, version: fc.constantFrom(...VERSIONS), updated: time, names: fc.subarray(NAMES) })
  .chain(({ names, ...of }) =>
    fc.record({
      ...Object.fromEntries(Object.entries(of).map(([name, value]) => [name, fc.constant(value)])),
      type: fc.constant("record.stored"),
      ...{ lockedUntil: time, lockMode: fc.constant("governance"), withheld: fc.constant(0) },
      ...{ recipients: fc.constant([]), lookups: fc.constant({}) },
      object: fc.record({ key: fc.constant(recordKey(of.subject, of.version)), ...digest }),
      files: fc.tuple(
        ...names.map((name) =>
          fc.record({
            ...{ key: fc.constant(fileKey(of.subject, name)), ...digest, lockedUntil: time },
            ...{ type: fc.constant("selfie"), mediaType: fc.constant("image/png") },
          }),
        ),
      ),
    }),
  );
const ended = fc.record({
  type: fc.constant("relationship.ended"),
  ...common,
  ended: time.map((at) => at.slice(0, 10)),
});
const reopened = fc.record({ type: fc.constant("relationship.reopened"), ...common });
/** Also of a record whose files stay, as a purge that was killed leaves it. */
const purged = fc.record({ ...common, version: fc.constantFrom(...VERSIONS) }).map(({ version, ...of }) => ({
  ...{ type: "record.purged", ...of, whole: false },
  objects: [
    {
      key: recordKey(of.subject, version),
      versionId: "v1",
      size: 1,
      sha256: "ab".repeat(32),
      versions: 1,
      due: of.time,
    },
  ],
}));
const entries = fc.array(
  fc.oneof({ arbitrary: stored, weight: 5 }, { arbitrary: ended, weight: 2 }, reopened, purged),
  {
    minLength: 1,
    maxLength: 20,
  },
);

const keep: fc.Arbitrary<Keep> = fc.record({
  keep: fc
    .constantFrom("P1M", "P18M", "P1Y", "P1Y1M1DT30H", "P5Y", "P1827D", "P260W", "PT36H")
    .map((text) => Temporal.Duration.from(text)),
  from: fc.constantFrom("relationship-end", "account-closed", "created", "exported"),
});
const law = fc.record({
  classes: fc.record({ identifying: keep, verification: keep, files: keep }),
  timezone: fc.constantFrom(undefined, "Europe/Berlin", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu"),
  minimum: fc.constantFrom(undefined, Temporal.Duration.from("P18M")),
});

test("who has something past a date is found without looking at everyone", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-past-"));
  let [count, past] = [0, 0];
  try {
    fc.assert(
      fc.property(entries, law, time, fc.integer({ min: -1, max: 1 }), (log, terms, moment, shift) => {
        const retention = terms as RetentionConfig;
        const catalog = Catalog.temporary(join(folder, `${count++}`), "origin");
        catalog.apply(log.map((each, index) => ({ index, bytes: encodeEntry(each as unknown as Entry) })));
        const all = [...catalog.subjects.all()];
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
