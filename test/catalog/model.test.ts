import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { decodeEntry, type Entry, encodeEntry, type RecordStored } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import { fileKey, parseKey, recordKey } from "../../src/vault/layout.ts";

/** Random logs about few people, versions and files: what the catalog answers, against plain maps without SQL. */
const SUBJECTS = ["a1", "0f", "ff"].map((start) => start.padEnd(32, "0"));
const VERSIONS = ["20261123T101500Z-0123456789ab", "20261123T101500Z-ffffffffffff", "20270101T000000Z-000000000000"];
const NAMES = ["00", "7f", "ff"].map((start) => start.padEnd(32, "e"));
const TOKENS = ["aa", "bb"].map((each) => each.repeat(16));
const TIMES = [
  "2026-11-23T10:15:00Z",
  "2026-11-23T10:15:00.5Z",
  "2026-11-23T10:15:00.500000001Z",
  "2027-02-01T00:00:00Z",
];
const MODES = ["governance", "compliance"] as const;
const run = "20261123T101500Z-abcdef";

const folder = mkdtempSync(join(tmpdir(), "holdfast-model-"));
after(() => rmSync(folder, { recursive: true }));

interface Lock {
  versionId: string;
  until: string;
  mode: (typeof MODES)[number];
}
interface Version extends Lock {
  entry: number;
  updated: string;
  stored: string;
  size: number;
  files: number;
  withheld: number;
}
interface Person {
  version: string;
  listed: string | null;
  gone: string | null;
  entry: number;
  withheld: number;
  project: string | null;
  located: number;
}

const instant = (text: string): Temporal.Instant => Temporal.Instant.from(text);
const later = (one: string, other: string): string =>
  Temporal.Instant.compare(instant(one), instant(other)) >= 0 ? one : other;
const plain = (text: string): string => instant(text).toString();
const at = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  if (!map.has(key)) map.set(key, make());
  return map.get(key)!;
};

class Model {
  readonly people = new Map<string, Person>();
  /** By the keys of records and files. */
  readonly versions = new Map<string, Version>();
  readonly files = new Map<string, Lock & { storedWith: string; type: string; size: number }>();
  readonly listings = new Map<string, Set<string>>();
  readonly lookups = new Map<string, Set<string>>();
  readonly mentions = new Map<string, number[]>();
  readonly projects = new Map<string, string>();

  apply(index: number, entry: Entry): void {
    if ("subject" in entry) at(this.mentions, entry.subject, () => []).push(index);
    if (entry.type === "source.changed") this.projects.set(entry.source, entry.project);
    if (entry.type === "record.stored") this.#store(index, entry);
    if (entry.type === "lock.extended") {
      for (const { key, versionId } of entry.objects) {
        const object = this.versions.get(key) ?? this.files.get(key);
        if (object?.versionId === versionId) longer(object, entry.lockedUntil, entry.lockMode);
      }
    }
    const person = "subject" in entry ? this.people.get(entry.subject) : undefined;
    if (entry.type === "record.gone" && person) {
      person.gone = entry.reason;
      person.listed = entry.redacted ?? null;
    }
    if (entry.type === "record.purged") this.#purge(entry);
  }

  object(key: string, { versionId, until, mode, size }: Lock & { size: number }, record: string): object {
    const { entry = null, stored = null } = this.versions.get(record) ?? {};
    const lock = { lockedUntil: plain(until), lockMode: mode };
    return { key, versionId, size, ...lock, entry, stored: stored && plain(stored) };
  }

  #store(index: number, entry: RecordStored): void {
    const { subject, version, object, files, lockMode: mode = "governance", lockedUntil: until } = entry;
    const known = this.people.get(subject);
    this.people.set(subject, {
      ...{ version, listed: entry.listed ?? version, gone: null, entry: index, withheld: entry.withheld },
      project: this.projects.get(entry.source ?? "") ?? known?.project ?? null,
      located: entry.handle || known?.located ? 1 : 0,
    });
    const former = this.versions.get(object.key);
    const lock = locked(former, { versionId: object.versionId, until, mode });
    const stored = former ? later(former.stored, entry.time) : entry.time;
    const about = { entry: index, updated: entry.updated, size: object.size, withheld: entry.withheld };
    this.versions.set(object.key, { ...about, ...lock, stored, files: files.length });
    for (const file of files) {
      if (file.storedWith === undefined) {
        const own = { versionId: file.versionId, until: file.lockedUntil, mode };
        const as = { storedWith: version, type: file.type, size: file.size };
        this.files.set(file.key, { ...as, ...locked(this.files.get(file.key), own) });
      }
      if (this.files.has(file.key)) at(this.listings, file.key, () => new Set()).add(version);
    }
    for (const [name, token] of Object.entries(entry.lookups))
      at(this.lookups, `${name.split("/")[0]} ${token}`, () => new Set()).add(subject);
  }

  #purge({ subject, objects, whole }: Extract<Entry, { type: "record.purged" }>): void {
    for (const { key } of objects) {
      const name = parseKey(key);
      this.versions.delete(key);
      this.files.delete(key);
      this.listings.delete(key);
      if (name?.kind !== "record") continue;
      for (const [file, of] of this.listings) if (parseKey(file)?.subject === subject) of.delete(name.version);
    }
    if (whole) {
      this.people.delete(subject);
      for (const of of this.lookups.values()) of.delete(subject);
      return;
    }
    const person = this.people.get(subject);
    if (!person || this.versions.has(recordKey(subject, person.version))) return;
    person.listed = null;
    const newest = [...this.versions]
      .filter(([key]) => parseKey(key)?.subject === subject)
      .sort(([, a], [, b]) => b.entry - a.entry)[0];
    if (!newest) return;
    const { version } = parseKey(newest[0]) as { version: string };
    Object.assign(person, { version, entry: newest[1].entry, withheld: newest[1].withheld });
  }
}

function longer(lock: Lock, until: string, mode: Lock["mode"]): void {
  lock.until = later(lock.until, until);
  if (mode === "compliance") lock.mode = mode;
}

/** The same object keeps its longest and hardest lock; another one has its own. */
function locked(former: Lock | undefined, lock: Lock): Lock {
  const now = { ...lock };
  if (former?.versionId === lock.versionId) longer(now, former.until, former.mode);
  return now;
}

/** All that is asked of the catalog about these people, as the model answers it. */
function expected(model: Model, before: string): object {
  const of = <T>(map: Map<string, T>, subject: string) =>
    [...map].filter(([key]) => parseKey(key)?.subject === subject).sort(([a], [b]) => (a < b ? -1 : 1));
  const sorted = [...SUBJECTS].sort();
  const due = (lock: Lock): boolean => Temporal.Instant.compare(instant(lock.until), instant(before)) < 0;
  const keysOf = (map: Map<string, Lock>) => [...map.keys()].sort();
  return {
    people: sorted.map((subject) => ({
      known: model.people.get(subject),
      records: of(model.versions, subject)
        .sort(([, a], [, b]) => a.entry - b.entry)
        .map(([key, { versionId, until, mode, updated, stored, size }]) => ({
          ...{ key, versionId, lockedUntil: plain(until), lockMode: mode, updated: plain(updated) },
          ...{ stored: plain(stored), size },
        })),
      files: of(model.files, subject).map(([key, { versionId, until, mode, storedWith, type, size }]) => ({
        ...{ key, versionId, lockedUntil: plain(until), lockMode: mode, storedWith, type, size },
      })),
      listings: of(model.listings, subject).flatMap(([key, versions]) =>
        [...versions].sort().map((each) => [key, each]),
      ),
      mentions: model.mentions.get(subject) ?? [],
      hadContent:
        [...model.lookups.values()].some((subjects) => subjects.has(subject)) ||
        (model.versions.get(recordKey(subject, model.people.get(subject)?.version ?? ""))?.files ?? 0) > 0,
    })),
    objects: [
      ...keysOf(model.versions).map((key) => model.object(key, model.versions.get(key)!, key)),
      ...keysOf(model.files).map((key) => {
        const file = model.files.get(key)!;
        return model.object(key, file, recordKey(parseKey(key)!.subject, file.storedWith));
      }),
    ],
    found: TOKENS.map((token) => [...(model.lookups.get(`email ${token}`) ?? [])].sort()),
    subjects: [...model.mentions.keys()].flatMap((subject) => {
      const { withheld, gone } = model.people.get(subject) ?? {};
      return withheld === undefined ? [] : { subject, withheld, gone };
    }),
    short: sorted.filter((subject) =>
      [...of<Lock>(model.versions, subject), ...of<Lock>(model.files, subject)].some(([, lock]) => due(lock)),
    ),
    updated: sorted.filter((subject) => of(model.versions, subject).some(([, { updated }]) => updated === TIMES[1])),
  };
}

/** Without the person's number, which rows of many have. */
function plainly(kept: object): unknown {
  const text = JSON.stringify(kept, (key, value) =>
    key === "person" ? undefined : value instanceof Map ? [...value] : value,
  );
  return JSON.parse(text);
}

/** The same, as the catalog answers it. */
function answered(catalog: Catalog, before: string): object {
  const among = catalog.subjects.knownAmong(SUBJECTS);
  for (const page of catalog.subjects.pages()) {
    const each = page.map(({ subject }) => ({ subject, ...catalog.kept.of(subject) }));
    assert.deepEqual(catalog.kept.among(page).map(plainly), each.map(plainly));
  }
  return {
    people: [...SUBJECTS].sort().map((subject) => {
      const known = catalog.subjects.known(subject);
      assert.deepEqual({ ...among.get(subject) }, { ...known });
      return {
        known: known && {
          ...{ version: known.version, listed: known.listed, gone: known.gone, entry: known.entry },
          ...{ withheld: known.withheld, project: known.project, located: known.located },
        },
        records: catalog.kept
          .records(subject)
          .map(({ version, sha256: _, ...record }) => ({ key: recordKey(subject, version), ...record })),
        files: catalog.kept.files(subject).map(({ sha256: _, mediaType: __, ...file }) => file),
        listings: [...catalog.kept.listings(subject)].flatMap(([key, versions]) => versions.map((each) => [key, each])),
        mentions: catalog.subjects.mentions(subject),
        hadContent: catalog.subjects.hadContent(subject),
      };
    }),
    objects: [...catalog.objects.records(), ...catalog.objects.files()].map(({ sha256: _, ...object }) => {
      assert.deepEqual(catalog.objects.get(object.key), { sha256: _, ...object });
      return object;
    }),
    found: TOKENS.map((token) => catalog.subjects.find("email", token)),
    subjects: Array.from(catalog.subjects.all(), ({ subject, withheld, gone }) => ({ subject, withheld, gone })),
    short: [...new Set([...catalog.locks.before(before)].flat())].sort(),
    updated: catalog.subjects.updatedIn(TIMES[1]!, TIMES[2]!, 10),
  };
}

const common = { time: fc.constantFrom(...TIMES), run: fc.constant(run), subject: fc.constantFrom(...SUBJECTS) };
const versionId = fc.constantFrom("v1", "v2");
const lock = { lockedUntil: fc.constantFrom(...TIMES), lockMode: fc.constantFrom(...MODES) };
const digest = { size: fc.nat(9), sha256: fc.constant("ab".repeat(32)) };

const stored = fc
  .record({
    ...{
      ...common,
      ...lock,
      version: fc.constantFrom(...VERSIONS),
      updated: common.time,
      object: fc.record({ versionId, ...digest }),
    },
    files: fc.uniqueArray(
      fc.record({
        ...{ name: fc.constantFrom(...NAMES), versionId, ...digest, lockedUntil: lock.lockedUntil },
        type: fc.constantFrom("selfie", "document_front"),
        storedWith: fc.option(fc.constantFrom(...VERSIONS), { nil: undefined }),
      }),
      { selector: ({ name }) => name },
    ),
    ...{ withheld: fc.nat(2), source: fc.constantFrom("one", "two", undefined) },
    handle: fc.constantFrom("h".repeat(40), undefined),
    lookups: fc.dictionary(fc.constantFrom("email", "email/2", "document.number"), fc.constantFrom(...TOKENS)),
  })
  .map(({ object, files, subject, version, ...more }) => ({
    ...{ type: "record.stored", ...more, subject, version, recipients: [] },
    object: { key: recordKey(subject, version), ...object },
    files: files.map(({ name, ...file }) => ({ key: fileKey(subject, name), mediaType: "image/png", ...file })),
  }));

const keyOf = (subject: string) =>
  fc.oneof(
    fc.constantFrom(...VERSIONS).map((version) => recordKey(subject, version)),
    fc.constantFrom(...NAMES).map((name) => fileKey(subject, name)),
  );
const about = (make: (subject: string) => Record<string, fc.Arbitrary<unknown>>) =>
  common.subject.chain((subject) => fc.record({ ...common, subject: fc.constant(subject), ...make(subject) }));
const extended = about((subject) => ({
  ...{ type: fc.constant("lock.extended"), ...lock },
  objects: fc.array(fc.record({ key: keyOf(subject), versionId }), { maxLength: 3 }),
}));
const purged = about((subject) => ({
  ...{ type: fc.constant("record.purged"), whole: fc.boolean() },
  objects: fc.uniqueArray(
    fc.record({ key: keyOf(subject), versionId, ...digest, versions: fc.constant(1), due: common.time }),
    { selector: ({ key }) => key, maxLength: 3 },
  ),
}));
const gone = fc.record({
  ...{ type: fc.constant("record.gone"), ...common, reason: fc.constantFrom("deleted", "redacted") },
  redacted: fc.constantFrom(VERSIONS[2], undefined),
});
const changed = fc.record({
  ...{ type: fc.constant("source.changed"), time: common.time, run: common.run, kind: fc.constant("passbase") },
  ...{ source: fc.constantFrom("one", "two"), project: fc.constantFrom(...TOKENS) },
});
/** As the log has them. */
const entry = fc
  .oneof({ arbitrary: stored, weight: 4 }, extended, purged, gone, changed)
  .map((value) => JSON.parse(JSON.stringify(value)) as Entry);

test("whatever a log says, the catalog answers as plain maps do: appended, and made from the beginning", async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { minLength: 1, maxLength: 25 }),
      fc.constantFrom(...TIMES),
      async (log, before) => {
        const model = new Model();
        const entries = log.map((each, index) => ({ index, bytes: encodeEntry(each) }));
        for (const { index, bytes } of entries) model.apply(index, decodeEntry(bytes)!);
        const right = expected(model, before);
        const appended = Catalog.temporary(join(folder, `${count++}`), "origin");
        for (let first = 0; first < entries.length; first += 7) appended.apply(entries.slice(first, first + 7));
        assert.deepEqual(answered(appended, before), right);
        appended.close();
        if (count % 10 !== 0) return;
        const path = join(folder, `${count++}`);
        await Catalog.build(path, "origin", async (catalog) => catalog.apply(entries));
        const built = Catalog.open(path, "origin");
        assert.equal(built.size, log.length);
        assert.deepEqual(answered(built, before), right);
        built.close();
      },
    ),
    { numRuns: 120 },
  );
});
