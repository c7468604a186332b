import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import { comparableTime } from "../../src/catalog/time.ts";

/** An instant with a fraction of any length, as RFC 3339 allows. */
const instant = fc
  .tuple(fc.integer({ min: 1_700_000_000, max: 1_700_000_002 }), fc.stringMatching(/^\d{0,9}$/))
  .map(([seconds, fraction]) => {
    const text = new Date(seconds * 1000).toISOString().slice(0, 19);
    return `${text}${fraction === "" ? "" : `.${fraction}`}Z`;
  });

test("instants in the catalog sort as texts like times, whatever the length of their fractions", () => {
  fc.assert(
    fc.property(instant, instant, (one, other) => {
      const [a, b] = [comparableTime(one), comparableTime(other)];
      assert.equal(a < b ? -1 : a > b ? 1 : 0, Temporal.Instant.compare(one, other));
      assert.equal(`${a}Z`, Temporal.Instant.from(one).toString());
    }),
    { numRuns: 2_000 },
  );
});

const subject = (n: number): string => n.toString(16).padStart(32, "0");

function stored(n: number, updated: string, lockedUntil: string): { index: number; entry: Entry } {
  const version = `20261123T1015${String(n).padStart(2, "0")}Z-0123456789ab`;
  const key = `records/00/${subject(n)}/${version}.age`;
  return {
    index: n,
    entry: {
      ...{ type: "record.stored", time: "2026-11-23T10:15:00.000Z", run: "r", subject: subject(n), version, updated },
      ...{ object: { key, versionId: `v${n}`, size: 1, sha256: "0".repeat(64) }, files: [], withheld: 0 },
      ...{ recipients: [], lockedUntil, lookups: {} },
    },
  };
}

test("queries by time are exact within one second: updated in a period, newest, lock ends before", () => {
  const catalog = Catalog.temporary(join(tmpdir(), `holdfast-times-${process.pid}.sqlite`), "origin");
  const at = ["10:00:00Z", "10:00:00.5Z", "10:00:00.500000001Z", "10:00:01Z", "10:00:00.25Z"];
  catalog.applyKnown(at.map((time, n) => stored(n, `2026-11-23T${time}`, `2027-01-01T${time}`)));
  const updated = (from: string, to: string) =>
    catalog.subjects.updatedIn(`2026-11-23T${from}`, `2026-11-23T${to}`, 10).map((each) => Number.parseInt(each, 16));
  assert.deepEqual(updated("10:00:00Z", "10:00:01Z"), [0, 1, 2, 4]);
  assert.deepEqual(updated("10:00:00.5Z", "10:00:00.500000001Z"), [1]);
  assert.deepEqual(updated("10:00:00.500Z", "10:00:01.000Z"), [1, 2]);
  assert.equal(catalog.totals.newest(), "2026-11-23T10:00:01Z");
  const before = (time: string) =>
    [...catalog.locks.before(`2027-01-01T${time}`)]
      .flat()
      .map((each) => Number.parseInt(each, 16))
      .sort();
  assert.deepEqual(before("10:00:00Z"), []);
  assert.deepEqual(before("10:00:00.3Z"), [0, 4]);
  assert.deepEqual(before("10:00:01Z"), [0, 1, 2, 4]);
  assert.ok(catalog.locks.anyAfter("2027-01-01T10:00:00.9Z") && !catalog.locks.anyAfter("2027-01-01T10:00:01.0Z"));
  catalog.close();
});
