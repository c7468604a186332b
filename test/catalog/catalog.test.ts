import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Entry, encodeEntry, type RecordStored } from "../../src/audit/entry.ts";
import { Frontier } from "../../src/audit/frontier.ts";
import type { AuditLog, LogEntry } from "../../src/audit/log.ts";
import { leafHash, rootOf } from "../../src/audit/merkle.ts";
import { SignedLog } from "../../src/audit/signed-log.ts";
import { splitEntry } from "../../src/audit/split.ts";
import { tilePath } from "../../src/audit/tile.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import { hasCode } from "../../src/core/error.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-catalog-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = (): string => join(folder, `${files++}`, "catalog.sqlite");

const ORIGIN = "acme.example/log";
const time = "2026-11-23T10:15:00.000Z";
const run = "20261123T101500Z-abcdef";
const subject = (n: number): string => n.toString(16).padStart(32, "0");
const version = (n: number): string => `20261123T1015${String(n).padStart(2, "0")}Z-0123456789ab`;

function stored(who: number, which: number, changes: Partial<RecordStored> = {}): RecordStored {
  const key = `records/00/${subject(who)}/${version(which)}.age`;
  return {
    ...{ type: "record.stored", time, run, subject: subject(who), version: version(which), updated: time },
    object: { key, versionId: `v${who}-${which}`, size: 1000, sha256: "ab".repeat(32) },
    ...{ files: [], withheld: 0, recipients: [], lockedUntil: time, lookups: {}, source: "one" },
    ...changes,
  };
}

const project = (name: string): string => Buffer.from(name).toString("hex").padEnd(32, "0");
const source = (name: string, of = name): Entry => ({
  ...{ type: "source.changed", time, run, source: name, kind: "passbase", project: project(of) },
});

const keyOf = (name: string, who = 1): string => `files/00/${subject(who)}/${name.padStart(32, "0")}.age`;
const file = (name: string, storedWith?: string, who = 1): RecordStored["files"][number] => ({
  ...{ key: keyOf(name, who), versionId: `f-${name}`, size: 50, sha256: "cd".repeat(32) },
  ...{ type: "document_image", mediaType: "image/png", lockedUntil: "2027-02-21T10:15:00Z" },
  ...(storedWith === undefined ? {} : { storedWith }),
});

const of = (who: number, each: RecordStored["files"][number]) => ({
  ...each,
  key: each.key.replace(subject(1), subject(who)),
});

const gone = (who: number, reason: "deleted" | "redacted" | "unlisted", redacted?: string): Entry => ({
  ...{ type: "record.gone", time, run, subject: subject(who), reason },
  ...(redacted === undefined ? {} : { redacted }),
});

const numbered = (entries: readonly (Entry | Uint8Array)[], from = 0): LogEntry[] =>
  entries.map((entry, position) => ({
    index: from + position,
    bytes: entry instanceof Uint8Array ? entry : encodeEntry(entry),
  }));

/** A log from a list, with its tiles; counts the entries that are read, which happens bundle by bundle. */
function logOf(entries: readonly LogEntry[]): { log: AuditLog; read: () => number } {
  let read = 0;
  const tiles = new Map<string, Uint8Array>();
  for (const { path, bytes } of new Frontier().append(entries.map(({ bytes }) => leafHash(bytes))))
    tiles.set(path, bytes);
  const log = {
    origin: ORIGIN,
    tile: async (level: number, index: number, width: number) => tiles.get(tilePath({ level, index, width }))!,
    async *entries(from: number, size: number) {
      for (const entry of entries.slice(from, size)) {
        read += 1;
        yield entry;
      }
    },
  };
  return { log: log as unknown as AuditLog, read: () => read };
}

function withEntries(...entries: Entry[]): Catalog {
  const catalog = Catalog.empty(fresh(), ORIGIN);
  catalog.apply(numbered(entries));
  return catalog;
}

describe("the catalog knows what the log says", () => {
  test("the newest version counts, and every version is remembered", () => {
    const catalog = withEntries(stored(1, 1), stored(1, 2));
    assert.deepEqual(
      { ...catalog.subjects.known(subject(1)) },
      {
        version: version(2),
        listed: version(2),
        gone: null,
        withheld: 0,
        entry: 1,
        missed: 0,
        project: null,
        content: null,
        base: null,
        glance: null,
        located: 0,
      },
    );
    assert.ok(catalog.kept.hasVersion(subject(1), version(1)) && catalog.kept.hasVersion(subject(1), version(2)));
    assert.ok(!catalog.kept.hasVersion(subject(1), version(3)));
    assert.equal(catalog.subjects.known(subject(2)), undefined);
    assert.deepEqual({ ...catalog.totals.counts() }, { subjects: 1, versions: 2, files: 0, bytes: 2000 });
  });

  test("a file is kept once, with the version it was first stored with", () => {
    const catalog = withEntries(
      stored(1, 1, { files: [file("a"), file("b")] }),
      stored(1, 2, { files: [file("a", version(1)), file("c")] }),
    );
    assert.deepEqual(
      { ...catalog.kept.file(keyOf("a")) },
      { ...file("a"), lockMode: "governance", storedWith: version(1) },
    );
    assert.deepEqual(
      { ...catalog.kept.file(keyOf("c")) },
      { ...file("c"), lockMode: "governance", storedWith: version(2) },
    );
    assert.equal(catalog.kept.file(keyOf("d")), undefined);
    assert.equal(catalog.totals.counts().files, 3);
  });

  test("a subject with files or lookups was a person", () => {
    const catalog = withEntries(
      stored(1, 1),
      stored(2, 1, { files: [file("a", undefined, 2)] }),
      stored(3, 1, { lookups: { email: "ef".repeat(16) } }),
    );
    assert.deepEqual(
      [1, 2, 3].map((who) => catalog.subjects.hadContent(subject(who))),
      [false, true, true],
    );
  });

  test("counts the files that the provider withheld from the newest version", () => {
    const catalog = withEntries(stored(1, 1, { withheld: 2 }), stored(2, 1, { withheld: 1 }), stored(2, 2));
    assert.deepEqual(
      [1, 2].map((who) => catalog.subjects.known(subject(who))!.withheld),
      [2, 0],
    );
  });

  test("after a run that did not end well, the catalog is not clean", () => {
    const started: Entry = { type: "run.started", time, run, job: "export", holdfast: "0" };
    const finished = (outcome: "done" | "partial" | "interrupted" | "failed"): Entry => ({
      ...{ type: "run.finished", time, run, outcome, counts: {} },
    });
    assert.equal(Catalog.empty(fresh(), ORIGIN).runs.clean, true);
    assert.equal(withEntries(started).runs.clean, false);
    for (const outcome of ["partial", "interrupted", "failed"] as const)
      assert.equal(withEntries(started, finished(outcome)).runs.clean, false);
    assert.equal(withEntries(started, finished("failed"), started, finished("done")).runs.clean, true);
  });

  test("the last run is not one for people whom webhooks named", () => {
    const begun = (name: string, job: string, source: string, hour: number): Entry => ({
      ...{ type: "run.started", time: `2026-03-01T0${hour}:00:00.000Z`, run: name, job, holdfast: "0", source },
    });
    const catalog = withEntries(
      begun("20260301T010000Z-aaaaaa", "export", "main", 1),
      begun("20260301T020000Z-bbbbbb", "backfill", "other", 2),
      begun("20260301T030000Z-cccccc", "inbox", "main", 3),
      begun("20260301T040000Z-dddddd", "inbox", "new", 4),
    );
    const { runs } = catalog;
    const found = [runs.last(), runs.lastOf("main"), runs.lastOf("other"), runs.lastOf("new")].map((each) => each?.job);
    assert.deepEqual(found, ["backfill", "export", "backfill", undefined]);
    assert.equal(runs.since("2026-03-01T00:00:00Z").length, 4);
  });

  test("an entry type of a later version is skipped; an invalid entry is refused and changes nothing", () => {
    const catalog = withEntries(stored(1, 1));
    const later = Buffer.from(JSON.stringify({ type: "moon.phase", time, run, phase: "full" }));
    catalog.apply(numbered([later, stored(2, 1)], 1));
    assert.equal(catalog.size, 3);
    assert.throws(
      () => catalog.apply(numbered([stored(3, 1)], 4)),
      (error) => hasCode(error, "internal"),
    );
    assert.equal(catalog.size, 3);
    assert.equal(catalog.subjects.known(subject(3)), undefined);
  });

  test("invalid entries are counted and skipped, and later ones are applied", () => {
    const catalog = withEntries(stored(1, 1));
    assert.deepEqual({ ...catalog.unreadable() }, { count: 0, first: null });
    const alien = { ...stored(2, 1), object: { ...stored(2, 1).object, key: "records/../../etc/passwd.age" } };
    const damaged = [Buffer.from("{}"), Buffer.from([0xff]), Buffer.from(JSON.stringify(alien))];
    catalog.apply(numbered([...damaged, stored(3, 1)], 1));
    assert.equal(catalog.size, 5);
    assert.deepEqual({ ...catalog.unreadable() }, { count: 3, first: 1 });
    assert.equal(catalog.subjects.known(subject(2)), undefined);
    assert.equal(catalog.subjects.known(subject(3))?.version, version(1));
  });

  test("a record with more files than fit in one entry has all of them after its record.stored", () => {
    const names = Array.from({ length: 900 }, (_, n) => file(n.toString(16)));
    const parts = splitEntry(stored(1, 1, { files: names }));
    assert.deepEqual(
      parts.map(({ type }) => type),
      [...Array.from({ length: parts.length - 1 }, () => "record.files"), "record.stored"],
    );
    const catalog = withEntries(...parts.slice(0, -1));
    assert.equal(catalog.subjects.known(subject(1)), undefined);
    assert.equal(catalog.totals.counts().files, 0);
    catalog.apply(numbered(parts.slice(-1), parts.length - 1));
    assert.deepEqual({ ...catalog.totals.counts() }, { subjects: 1, versions: 1, files: 900, bytes: 1000 + 900 * 50 });
    assert.equal(catalog.kept.files(subject(1)).length, 900);
    // Files announced by a killed run do not belong to a later run's record.
    const killed = splitEntry(
      stored(2, 1, { run: "20261123T101500Z-000000", files: names.map((each) => of(2, each)) }),
    );
    const again = splitEntry(stored(2, 1, { files: names.map((each) => of(2, each)) }));
    catalog.apply(numbered([...killed.slice(0, -1), ...again], catalog.size));
    assert.equal(catalog.kept.files(subject(2)).length, 900);
  });
});

describe("walks", () => {
  const walk = (catalog: Catalog, ...met: number[]): string[] => {
    catalog.walk.begin();
    const all = met.map((who) => ({
      ...{ subject: subject(who), known: catalog.subjects.known(subject(who))!, handle: () => "h".repeat(40) },
    }));
    catalog.walk.noteMet(all, "one");
    return catalog.walk.end("one", 2).map((missed) => missed.subject);
  };

  test("missed twice in a row means missed, if not met in between; reported once", () => {
    const catalog = withEntries(source("one"), stored(1, 1), stored(2, 1), stored(3, 1));
    assert.deepEqual(walk(catalog, 1), []);
    assert.deepEqual(walk(catalog, 1, 2), [subject(3)]);
    catalog.apply(numbered([gone(3, "unlisted")], 4));
    assert.deepEqual(walk(catalog, 1), []);
    assert.deepEqual(walk(catalog, 1), [subject(2)]);
  });

  test("a subject stored during the walk counts as met", () => {
    const catalog = withEntries(source("one"), stored(1, 1));
    for (let n = 0; n < 3; n++) {
      catalog.walk.begin();
      catalog.apply(numbered([stored(1, n + 2)], n + 2));
      assert.deepEqual(catalog.walk.end("one", 1), []);
    }
  });

  test("deleted ends when the source answers for it, not when its list shows it; redacted when it has content again", () => {
    const catalog = withEntries(
      source("one"),
      stored(1, 1),
      stored(2, 1),
      gone(1, "deleted"),
      gone(2, "redacted", version(5)),
    );
    assert.deepEqual(
      { ...catalog.subjects.known(subject(1)) },
      {
        version: version(1),
        listed: null,
        gone: "deleted",
        withheld: 0,
        entry: 1,
        missed: 0,
        project: project("one"),
        content: null,
        base: null,
        glance: null,
        located: 0,
      },
    );
    assert.deepEqual(
      { ...catalog.subjects.known(subject(2)) },
      {
        version: version(1),
        listed: version(5),
        gone: "redacted",
        withheld: 0,
        entry: 2,
        missed: 0,
        project: project("one"),
        content: null,
        base: null,
        glance: null,
        located: 0,
      },
    );
    walk(catalog, 1, 2);
    assert.deepEqual(
      [1, 2].map((who) => catalog.subjects.known(subject(who))!.gone),
      ["deleted", "redacted"],
    );
    const answered = [1, 2].map((who) => ({
      ...{ subject: subject(who), known: catalog.subjects.known(subject(who))!, handle: () => "h".repeat(40) },
    }));
    catalog.walk.noteMet(answered, "one", true);
    assert.deepEqual(
      [1, 2].map((who) => catalog.subjects.known(subject(who))!.gone),
      [null, "redacted"],
    );
    catalog.apply(numbered([stored(2, 6)], 5));
    assert.equal(catalog.subjects.known(subject(2))!.gone, null);
  });

  test("what the list says is remembered separately from what is kept", () => {
    const catalog = withEntries(source("one"), stored(1, 1));
    catalog.walk.noteListed(subject(1), version(9));
    walk(catalog, 1);
    assert.deepEqual(
      { ...catalog.subjects.known(subject(1)) },
      {
        version: version(1),
        listed: version(9),
        gone: null,
        withheld: 0,
        entry: 1,
        missed: 0,
        project: project("one"),
        content: null,
        base: null,
        glance: null,
        located: 1,
      },
    );
  });
});

describe("derived from the log", () => {
  const entries = numbered(
    Array.from({ length: 2500 }, (_, n) => stored(n, 1, { files: [file(`f${n.toString(16)}`, undefined, n)] })),
  );
  const headOf = (list: typeof entries) => ({
    size: list.length,
    root: rootOf(list.map(({ bytes }) => leafHash(bytes))),
  });
  const open = async (path: string, list = entries): Promise<{ counts: object; read: number }> => {
    const { log, read } = logOf(list);
    const catalog = await openCatalog(path, new SignedLog(log, headOf(list)));
    const counts = { size: catalog.size, ...catalog.totals.counts() };
    catalog.close();
    return { counts, read: read() };
  };
  const whole = { size: 2500, subjects: 2500, versions: 2500, files: 2500, bytes: 2500 * 1050 };

  test("missing: reads the whole log; present: only new entries", async () => {
    const path = fresh();
    assert.deepEqual(await open(path, entries.slice(0, 2000)), {
      counts: { ...whole, size: 2000, subjects: 2000, versions: 2000, files: 2000, bytes: 2000 * 1050 },
      read: 2000,
    });
    // The new entries, and the start of their first bundle: proofs cover whole bundles.
    assert.deepEqual(await open(path), { counts: whole, read: 2500 - 7 * 256 });
    assert.deepEqual(await open(path), { counts: whole, read: 0 });
  });

  test("ahead of the log, of another history, or of another log: rebuilt", async () => {
    const path = fresh();
    await open(path);
    const shorter = entries.slice(0, 10);
    assert.equal((await open(path, shorter)).read, 10);
    const other = [...entries.slice(0, 9), ...numbered([stored(7777, 1)], 9), ...entries.slice(10)];
    assert.equal((await open(path, other)).read, 2500);
    const { log, read } = logOf(entries);
    (
      await openCatalog(path, new SignedLog({ ...log, origin: "other.example/log" } as AuditLog, headOf(entries)))
    ).close();
    assert.equal(read(), 2500);
  });

  test("with entries that the checkpoint does not sign: not created", async () => {
    const path = fresh();
    const { log } = logOf(entries);
    const forged = [...entries.slice(0, 9), ...numbered([stored(7777, 1)], 9), ...entries.slice(10)];
    await assert.rejects(openCatalog(path, new SignedLog(log, headOf(forged))), (error) =>
      hasCode(error, "unverified"),
    );
    const catalog = Catalog.open(path, log.origin);
    assert.equal(catalog.size, 0);
    catalog.close();
  });

  test("with any damaged page, cut off, or not a database: rebuilt", async () => {
    const path = fresh();
    await open(path);
    const sound = readFileSync(path);
    const pages = sound.length / 4096;
    const damages = [
      Buffer.from("not a database at all".repeat(500)),
      sound.subarray(0, sound.length / 2),
      Buffer.of(1),
    ];
    // Testing every page would take too long: the first, the last, and a sample with a prime stride.
    for (let page = 0; page < pages; page += 17) {
      damages.push(Buffer.from(sound).fill(0x5a, page * 4096, (page + 1) * 4096));
    }
    for (const bytes of damages) {
      writeFileSync(path, bytes);
      assert.deepEqual((await open(path)).counts, whole);
    }
  });
});
