import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, mock, test } from "node:test";
import type { Entry } from "../../src/audit/entry.ts";
import { encodeEntry } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import { hasCode } from "../../src/core/error.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-untouched-"));
after(() => rmSync(folder, { recursive: true }));
const PEOPLE = 2_000;
const ORIGIN = "acme.example/log";
let files = 0;

function stored(n: number): Entry {
  const [subject, version] = [n.toString(16).padStart(32, "0"), "20261123T101500Z-0123456789ab"];
  const time = "2026-11-23T10:15:00Z";
  const key = `records/00/${subject}/${version}.age`;
  return {
    ...{ type: "record.stored", time, run: "r", subject, version, updated: time, files: [], withheld: 0 },
    ...{ object: { key, versionId: `v${n}`, size: 1, sha256: "0".repeat(64) }, recipients: [] },
    ...{ lockedUntil: time, lookups: {} },
  };
}

const entries = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({ index: from + n, bytes: encodeEntry(stored(from + n)) }));

function filled(): string {
  const path = join(folder, `${files++}`, "catalog.sqlite");
  const catalog = Catalog.empty(path, ORIGIN);
  catalog.apply(entries(0, PEOPLE));
  catalog.close();
  return path;
}

/** Opens it: how many entries it has then, and whether every page was checked. */
function opened(path: string): { size: number; checked: boolean } {
  let checked = false;
  const { prepare } = DatabaseSync.prototype;
  const spy = mock.method(
    DatabaseSync.prototype,
    "prepare",
    function (this: DatabaseSync, ...args: Parameters<typeof prepare>) {
      if (args[0].includes("quick_check")) checked = true;
      return prepare.apply(this, args);
    },
  );
  try {
    const catalog = Catalog.open(path, ORIGIN);
    const { size } = catalog;
    catalog.close();
    return { size, checked };
  } finally {
    spy.mock.restore();
  }
}

test("after an orderly end, the next process does not read every page", () => {
  const path = filled();
  assert.deepEqual(opened(path), { size: PEOPLE, checked: false });
  // It wrote, and ended well again.
  const catalog = Catalog.open(path, ORIGIN);
  catalog.apply(entries(PEOPLE, 3));
  catalog.close();
  assert.deepEqual(opened(path), { size: PEOPLE + 3, checked: false });
  // Readers change nothing.
  Catalog.peek(path, ORIGIN)!.close();
  assert.deepEqual(opened(path), { size: PEOPLE + 3, checked: false });
});

test("after a process that did not close it, every page is checked", () => {
  const path = filled();
  const catalog = Catalog.open(path, ORIGIN);
  catalog.apply(entries(PEOPLE, 3));
  // What a killed process leaves. Its time of change may be any, even that of the last orderly end.
  const killed = join(folder, `killed-${files++}.sqlite`);
  for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, killed + suffix);
  const { atime, mtime } = statSync(path);
  utimesSync(killed, atime, mtime);
  catalog.close();
  assert.deepEqual(opened(killed), { size: PEOPLE + 3, checked: true });
  assert.deepEqual(opened(killed), { size: PEOPLE + 3, checked: false });
});

test("after another program wrote the file, every page is checked, and a damaged one is found", () => {
  const path = filled();
  const sound = readFileSync(path);
  writeFileSync(path, sound);
  assert.deepEqual(opened(path), { size: PEOPLE, checked: true });
  const pages = sound.length / 4096;
  for (const page of [1, pages >> 1, pages - 1]) {
    writeFileSync(path, Buffer.from(sound).fill(0x5a, page * 4096, (page + 1) * 4096));
    assert.equal(opened(path).size, 0, `page ${page}`);
  }
});

test("damage that no time of change shows is an error when it is read, and the next process begins again", () => {
  const path = filled();
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  // Everything after the first pages, which hold the schema.
  writeFileSync(path, bytes.fill(0x5a, 60 * 4096));
  utimesSync(path, atime, mtime);
  const catalog = Catalog.open(path, ORIGIN);
  assert.equal(catalog.size, PEOPLE);
  assert.throws(
    () => catalog.totals.counts(),
    (error) => hasCode(error, "state") && /rebuild/.test((error as { hint?: string }).hint ?? ""),
  );
  catalog.close();
  assert.deepEqual(opened(path), { size: 0, checked: true });
});
