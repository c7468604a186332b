import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Entry } from "../../src/audit/entry.ts";
import { standing } from "../../src/bulk/standing.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import type { Lock } from "../../src/vault/vault.ts";

const SUBJECT = "0".repeat(32);
const VERSION = "20261123T101500Z-0123456789ab";
const KEY = `records/00/${SUBJECT}/${VERSION}.age`;
const time = "2026-11-23T10:15:00Z";
const run = "20261123T101500Z-abcdef";
const STORED = {
  ...{ type: "record.stored", time, run, subject: SUBJECT, version: VERSION, updated: time },
  object: { key: KEY, versionId: "v1", size: 1, sha256: "ab".repeat(32) },
  ...{ files: [], withheld: 0, recipients: [], lockedUntil: "2027-02-21T10:15:00Z", lockMode: "governance" },
  ...{ lookups: {}, source: "one" },
} as unknown as Entry;
const extended = (lockedUntil: string, lockMode: Lock["mode"]): Entry => ({
  ...{ type: "lock.extended", time, run, subject: SUBJECT, lockedUntil, lockMode },
  objects: [{ key: KEY, versionId: "v1" }],
});

/** What a job's object is, after these entries, if the job locked it in governance mode until May. */
function after(...entries: Entry[]): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-standing-"));
  const catalog = Catalog.temporary(join(folder, "catalog.sqlite"), "acme.example/log");
  try {
    catalog.applyKnown(entries.map((entry, index) => ({ index, entry })));
    const lock = { mode: "governance", until: Temporal.Instant.from("2027-05-01T00:00:00Z") } as const;
    return standing(catalog, { subject: SUBJECT, key: KEY, versionId: "v1", manifest: 0, failure: "" }, lock);
  } finally {
    catalog.close();
    rmSync(folder, { recursive: true });
  }
}

test("only what the log still has, and with a shorter or softer lock, is logged", () => {
  assert.equal(after(), "gone");
  assert.equal(after(STORED), "due");
  assert.equal(after(STORED, extended("2027-04-30T23:59:59Z", "compliance")), "due");
  assert.equal(after(STORED, extended("2027-05-01T00:00:00Z", "governance")), "done");
  assert.equal(after(STORED, extended("2028-05-01T00:00:00Z", "compliance")), "done");
  assert.equal(
    after({ ...STORED, object: { key: KEY, versionId: "v2", size: 1, sha256: "ab".repeat(32) } } as Entry),
    "gone",
  );
});

test("an object whose purge began: an entry about its lock would say that it is still there", () => {
  const begun: Entry = { type: "purge.begun", time, run, subject: SUBJECT, keys: [KEY] };
  assert.equal(after(STORED, begun), "gone");
  assert.equal(after(STORED, begun, { type: "purge.withdrawn", time, run, subject: SUBJECT, keys: [KEY] }), "due");
});
