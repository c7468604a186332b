import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from "../../src/audit/checkpoint.ts";
import { decodeEntry, encodeEntry } from "../../src/audit/entry.ts";
import { verifyConsistency, verifyInclusion } from "../../src/audit/merkle.ts";
import { generateKey, openNote, parseSignedNote, parseSigner, parseVerifier } from "../../src/audit/note.ts";
import { consistencyProof, formatProof, inclusionProof, parseProof, rootAt } from "../../src/audit/proof.ts";
import { decodeBundle, decodeTile, encodeBundle, parseTilePath, tilePath } from "../../src/audit/tile.ts";
import { holds } from "./holds.ts";
import { mutants } from "./mutants.ts";

const ORIGIN = "acme-bank.example/holdfast";
const keys = generateKey(ORIGIN);
const signer = parseSigner(keys.skey);
const root = randomBytes(32);
const note = Buffer.from(signCheckpoint({ origin: ORIGIN, size: 70_000, root }, signer));
const text = (bytes: Buffer): string => bytes.toString("latin1");
const of = (...valid: (string | Uint8Array)[]) => mutants(fc.constantFrom(...valid.map((one) => Buffer.from(one))));

test("signed notes and checkpoints", async (t) => {
  const inputs = of(note, formatCheckpoint({ origin: ORIGIN, size: 1, root, extensions: ["more"] }));
  await holds(t, 4000, inputs, (bytes) => openCheckpoint(bytes, ORIGIN, [signer.verifier]), "malformed", "unverified");
  await holds(t, 2000, inputs, (bytes) => openNote(bytes, [signer.verifier]), "malformed", "unverified");
  await holds(t, 2000, inputs, (bytes) => parseSignedNote(bytes), "malformed");
  await holds(t, 2000, inputs, (bytes) => parseCheckpoint(bytes.toString()), "malformed");
});

test("a note with many signatures takes time linear in its bytes", async (t) => {
  const many = fc.nat(200_000).map((count) => Buffer.concat([note, Buffer.from("\u2014 x AAAAAAAA\n".repeat(count))]));
  await holds(t, 10, many, (bytes) => openCheckpoint(bytes, ORIGIN, [signer.verifier]), "malformed", "unverified");
});

test("keys as strings", async (t) => {
  await holds(t, 2000, of(keys.vkey), (bytes) => parseVerifier(bytes.toString()), "malformed");
  await holds(t, 2000, of(keys.skey), (bytes) => parseSigner(text(bytes)), "malformed");
});

test("tile paths", async (t) => {
  const paths = [
    tilePath({ level: 2, index: 1_234_067, width: 17 }),
    tilePath({ level: "entries", index: 0, width: 256 }),
  ];
  await holds(t, 4000, of(...paths), (bytes) => parseTilePath(text(bytes)), "malformed");
});

test("tiles and bundles", async (t) => {
  const width = fc.integer({ min: -1, max: 300 });
  const bundle = encodeBundle(Array.from({ length: 40 }, (_, n) => Buffer.alloc(n * 3, n)));
  await holds(
    t,
    4000,
    fc.tuple(of(bundle), fc.oneof(fc.constant(40), width)),
    ([bytes, entries]) => decodeBundle(bytes, entries),
    "malformed",
  );
  await holds(
    t,
    2000,
    fc.tuple(of(randomBytes(320)), width),
    ([bytes, count]) => decodeTile(bytes, count),
    "malformed",
  );
  // A few bytes whose lengths claim 16 MB.
  await holds(t, 500, fc.nat(600), (count) => decodeBundle(Buffer.alloc(count, 0xff), 256), "malformed");
});

test("proof files, and proofs with any hashes", async (t) => {
  const proof = formatProof({
    index: 5,
    hashes: [root, root],
    checkpoint: note.toString(),
    extra: Buffer.from("more"),
  });
  await holds(t, 4000, of(proof), (bytes) => parseProof(bytes), "malformed");
  const hash = fc.uint8Array({ minLength: 31, maxLength: 33 });
  const count = fc.oneof(fc.nat(70), fc.double(), fc.constantFrom(2 ** 53 - 1, 2 ** 53, -1, Number.NaN));
  const hashes = fc.array(hash, { maxLength: 60 });
  await holds(
    t,
    2000,
    fc.tuple(hash, count, count, hashes),
    ([leaf, index, size, path]) => verifyInclusion(leaf, index, size, path, root),
    "unverified",
  );
  await holds(
    t,
    2000,
    fc.tuple(hash, count, count, hashes),
    ([one, size1, size2, path]) => verifyConsistency(size1, one, size2, root, path),
    "unverified",
  );
});

test("proofs built from tiles with any bytes", async (t) => {
  const size = fc.oneof(fc.nat(1000), fc.constantFrom(2 ** 53 - 1, 2 ** 40, 65_536 * 256));
  const length = fc.oneof(fc.constant(undefined), fc.nat(10_000));
  await holds(
    t,
    600,
    fc.tuple(size, size, length),
    async ([one, other, bytes]) => {
      const read = async (_level: number, _index: number, width: number) => Buffer.alloc(bytes ?? width * 32, 3);
      await rootAt(one, read);
      await consistencyProof(Math.min(one, other), Math.max(one, other), read);
      await inclusionProof(one, other, read);
    },
    ...(["malformed", "unverified"] as const),
  );
});

test("entries", async (t) => {
  const run = { time: "2026-11-23T10:15:00.000Z", run: "20261123T101500Z-aabbcc" };
  const version = "20261123T101500Z-0123456789ab";
  const object = {
    key: `records/ab/${"ab".repeat(16)}/${version}.age`,
    versionId: "00000001",
    size: 4630,
    sha256: "ab".repeat(32),
  };
  const lockedUntil = "2027-02-21T10:15:00Z";
  const stored = encodeEntry({
    ...{
      type: "record.stored",
      ...run,
      subject: "ab".repeat(16),
      version,
      updated: run.time,
      object,
      lockedUntil,
    },
    files: [
      {
        ...object,
        key: `files/ab/${"ab".repeat(16)}/${"cd".repeat(16)}.age`,
        type: "document_image",
        mediaType: "image/png",
        lockedUntil,
      },
    ],
    ...{ withheld: 0, recipients: ["ab".repeat(8)], lookups: { email: "cd".repeat(16) } },
  });
  const others = [
    encodeEntry({ type: "run.started", ...run, job: "export", holdfast: "0.1.0" }),
    encodeEntry({ type: "run.finished", ...run, outcome: "done", counts: { new: 1 } }),
    encodeEntry({ type: "record.gone", ...run, subject: "ab".repeat(16), reason: "deleted" }),
  ];
  const inputs = of(stored, stored, ...others);
  await holds(
    t,
    6000,
    inputs,
    (bytes) => {
      const entry = decodeEntry(bytes);
      if (entry?.type === "record.stored") Temporal.Instant.from(entry.lockedUntil);
    },
    "malformed",
  );
  await holds(t, 200, fc.integer({ min: 1, max: 65_000 }), (n) => decodeEntry(Buffer.from("[".repeat(n))), "malformed");
});
