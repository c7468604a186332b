import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decodeEntry, type Entry, encodeEntry, type RecordStored } from "../../src/audit/entry.ts";
import { splitEntry } from "../../src/audit/split.ts";
import { hasCode } from "../../src/core/error.ts";
import { anyCharacter } from "../fuzz/character.ts";

const MAX = 65_535;
const at = { time: "2026-11-23T10:15:00.000Z", run: "20261123T101500Z-abcdef" };
const subject = "ab".repeat(16);
const version = "20261123T101500Z-0123456789ab";
const lockedUntil = "2027-02-21T10:15:00Z";
const object = { versionId: "00000001", size: 4630, sha256: "ab".repeat(32) };
const record = { ...object, key: `records/ab/${subject}/${version}.age` };
const fileKey = (n: number): string => `files/ab/${subject}/${n.toString(16).padStart(32, "0")}.age`;
const file = (n: number, changes = {}): RecordStored["files"][number] => ({
  ...{ ...object, key: fileKey(n), type: "document_image", mediaType: "image/png", lockedUntil },
  ...changes,
});
const stored = (changes: Partial<RecordStored> = {}): RecordStored => ({
  ...{ type: "record.stored", ...at, subject, version, updated: at.time, object: record, files: [file(1)] },
  ...{ withheld: 0, recipients: ["ab".repeat(8)], lockedUntil, lockMode: "governance", lookups: {} },
  ...changes,
});

/** Text that hostile providers, stores and workers may send. */
const hostile = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 1200 }),
  fc.string({ maxLength: 70 }),
  fc.constantFrom("Eve Example born 1980-01-01", "\u001b[2J", "../../../escaped", "a".repeat(501), ""),
  fc.stringMatching(/^[a-z][a-z0-9_-]{0,60}$/),
  fc.stringMatching(/^[a-z]{1,30}\/[a-z0-9.+-]{1,80}$/),
);

describe("every written entry can be read", () => {
  test("any input from a source, store or worker is refused on writing or reads back unchanged", () => {
    let written = 0;
    const property = fc.property(hostile, hostile, hostile, hostile, (type, mediaType, versionId, other) => {
      const entries: Entry[] = [
        stored({ files: [file(1, { type, mediaType, versionId })] }),
        stored({ object: { ...record, versionId } }),
        stored({ lookups: { [other]: "ab".repeat(16) } }),
        stored({ version: other }),
        stored({ object: { ...record, key: other } }),
        { type: "record.failed", ...at, subject, stage: type, code: other },
        {
          type: "lock.extended",
          ...at,
          subject,
          lockedUntil,
          lockMode: "governance",
          objects: [{ key: other, versionId }],
        },
        { type: "purge.begun", ...at, subject, keys: [fileKey(1), other] },
      ];
      for (const entry of entries) {
        let bytes: Uint8Array;
        try {
          bytes = encodeEntry(entry);
        } catch (error) {
          assert.ok(hasCode(error, "log-rejected"), String(error));
          continue;
        }
        written += 1;
        assert.deepEqual(decodeEntry(bytes), entry);
      }
    });
    fc.assert(property, { numRuns: 2_000 });
    assert.ok(written > 200, "too few entries were written for a meaningful test");
  });

  test("a provider's free text does not get into the log, but text that an earlier version logged can be read", () => {
    for (const words of [
      { type: "Eve Example born 1980-01-01" },
      { type: "T".repeat(501) },
      { mediaType: `${"a".repeat(600)}/x` },
      { mediaType: "image/png; name=eve" },
    ]) {
      const entry = stored({ files: [file(1, words)] });
      assert.throws(() => encodeEntry(entry), { code: "log-rejected" });
      assert.deepEqual(decodeEntry(Buffer.from(JSON.stringify(entry))), entry);
    }
  });

  test("an object of another subject or version, or an invalid key, is neither written nor read", () => {
    const other = "cd".repeat(16);
    for (const entry of [
      stored({ subject: other }),
      stored({ version: "20261123T101500Z-ffffffffffff" }),
      stored({ files: [file(1, { key: record.key })] }),
      stored({ files: [file(1, { key: `files/cd/${other}/${"0".repeat(32)}.age` })] }),
      stored({ files: [file(1, { key: `files/cd/${subject}/${"0".repeat(32)}.age` })] }),
      { type: "hold.placed", ...at, subject: other, case: subject, commitment: "ab".repeat(32), objects: [record] },
      { type: "purge.begun", ...at, subject: other, keys: [record.key] },
      { type: "purge.withdrawn", ...at, subject, keys: ["audit/checkpoint"] },
    ] as Entry[]) {
      assert.throws(() => encodeEntry(entry), { code: "log-rejected" });
      assert.throws(() => decodeEntry(Buffer.from(JSON.stringify(entry))), { code: "malformed" });
    }
  });

  test("S3's longest version id, 1,024 bytes, is logged; a longer one is not", () => {
    const named = (length: number) => stored({ object: { ...record, versionId: "v".repeat(length) } });
    assert.deepEqual(decodeEntry(encodeEntry(named(1024))), named(1024));
    assert.throws(() => encodeEntry(named(1025)), { code: "log-rejected" });
  });
});

describe("splitting an entry that is too long for the log", () => {
  /** The parts' content, joined again. */
  const joined = (parts: readonly Entry[]): unknown[] =>
    parts.flatMap((part): readonly unknown[] => {
      if (part.type === "record.stored" || part.type === "record.files") return part.files;
      if (part.type === "purge.begun" || part.type === "purge.withdrawn") return part.keys;
      return "objects" in part ? part.objects : [];
    });
  const objects = (count: number, versionId: string) =>
    Array.from({ length: count }, (_, n) => ({ ...object, key: fileKey(n), versionId }));
  const grown = (count: number, versionId: string): Entry[] => [
    stored({ files: objects(count, versionId).map((each, n) => ({ ...file(n), ...each })) }),
    {
      type: "lock.extended",
      ...at,
      subject,
      lockedUntil,
      lockMode: "governance",
      objects: objects(count, versionId).map(({ key }) => ({ key, versionId })),
    },
    {
      type: "hold.placed",
      ...at,
      subject,
      case: subject,
      commitment: "ab".repeat(32),
      objects: objects(count, versionId).map(({ key }) => ({ key, versionId })),
    },
    { type: "purge.begun", ...at, subject, keys: objects(count, versionId).map(({ key }) => key) },
    { type: "purge.withdrawn", ...at, subject, keys: objects(count, versionId).map(({ key }) => key) },
    {
      type: "record.purged",
      ...at,
      subject,
      whole: true,
      objects: objects(count, versionId).map((each) => ({ ...each, versions: 1, due: at.time })),
    },
  ];

  test("every type that grows with the data: all parts fit, nothing is lost, and the order is kept", () => {
    const property = fc.property(fc.nat({ max: 1500 }), fc.integer({ min: 1, max: 1024 }), (count, length) => {
      for (const entry of grown(count, "v".repeat(length))) {
        const parts = splitEntry(entry);
        for (const part of parts) assert.ok(encodeEntry(part).length <= MAX);
        assert.deepEqual(joined(parts), joined([entry]));
        const last = parts.at(-1)!;
        assert.equal(last.type, entry.type);
        if (last.type === "record.purged")
          assert.deepEqual(
            parts.map((part) => part.type === "record.purged" && part.whole),
            parts.map((_, n) => n === parts.length - 1),
          );
        if (last.type === "record.stored" && parts.length > 1)
          assert.deepEqual([last.files.length, last.moreFiles], [0, count]);
      }
    });
    fc.assert(property, { numRuns: 40 });
  });

  test("an entry that fits is not split, to the byte", () => {
    for (const entry of grown(2, "v")) assert.deepEqual(splitEntry(entry), [entry]);
    const sized = (extra: number): Entry =>
      stored({
        files: Array.from({ length: 100 }, (_, n) => file(n)),
        lookups: {},
        recipients: Array.from({ length: extra }, () => "ab".repeat(8)),
      });
    const fits = (extra: number): boolean => JSON.stringify(sized(extra)).length <= MAX;
    let extra = 0;
    while (fits(extra + 1)) extra += 1;
    assert.equal(splitEntry(sized(extra)).length, 1);
    assert.ok(encodeEntry(splitEntry(sized(extra))[0]!).length <= MAX);
    assert.ok(splitEntry(sized(extra + 1)).length > 1);
  });
});
