import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from "../../src/audit/checkpoint.ts";
import { emptyRoot, leafHash } from "../../src/audit/merkle.ts";
import { generateKey, parseSignedNote, parseSigner, parseVerifier, signNote } from "../../src/audit/note.ts";
import { malformed, mayRefuse, unverified } from "./refusal.ts";

const vectors = JSON.parse(readFileSync(new URL("../vectors/note.json", import.meta.url), "utf8"));
const signer = parseSigner(generateKey("log.example/holdfast").skey);
const witness = parseSigner(generateKey("witness.example").skey);
const origin = signer.name;
const root = leafHash(Buffer.from("one"));

test("published checkpoints", () => {
  const tree = parseCheckpoint(vectors.treeNote);
  assert.deepEqual([tree.origin, tree.size, tree.extensions], ["go.sum database tree", 123_456_789_012, []]);
  assert.deepEqual(tree.root, leafHash(Buffer.from(vectors.treeNoteLeaf)));
  assert.equal(formatCheckpoint(tree), vectors.treeNote);
  for (const bad of vectors.badTreeNotes) assert.throws(() => parseCheckpoint(bad), malformed);
  // Go ignores anything that follows. The specification allows non-empty lines.
  assert.deepEqual(parseCheckpoint(`${vectors.treeNote}JOE\n`).extensions, ["JOE"]);
  assert.equal(parseCheckpoint(vectors.treeNote + "JOE\n".repeat(1_000)).extensions.length, 1_000);
  assert.throws(() => parseCheckpoint(`${vectors.treeNote}JOE`), malformed);
  const sofa = parseCheckpoint(parseSignedNote(vectors.specCheckpoint).text);
  assert.deepEqual([sofa.origin, sofa.size], ["example.com/behind-the-sofa", 20_852_163]);
});

test("a written checkpoint parses back to itself, with its extensions", () => {
  const line = fc.string({ unit: "grapheme", minLength: 1 }).filter((s) => !/\p{Cc}/u.test(s));
  const checkpoint = fc.record(
    {
      origin: line,
      size: fc.maxSafeNat(),
      root: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(Buffer.from),
      extensions: fc.array(line, { maxLength: 3 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(checkpoint, (c) => assert.deepEqual(parseCheckpoint(formatCheckpoint(c)), c)));
});

test("any other form of a checkpoint is refused", () => {
  const hash = root.toString("base64");
  const sizes = [
    "",
    "007",
    "00",
    "0x10",
    "-5",
    "-0",
    "+5",
    "1.0",
    "1e3",
    " 1",
    "1 ",
    "１",
    "9007199254740992",
    "1".repeat(400),
  ];
  for (const size of sizes) assert.throws(() => parseCheckpoint(`o\n${size}\n${hash}\n`), malformed, size);
  const roots = [
    "",
    hash.slice(0, -1),
    `${hash}=`,
    `${hash} `,
    hash.replace(/.=$/, "B="),
    root.toString("hex"),
    root.toString("base64url"),
    "AAAA",
  ];
  for (const root of roots) assert.throws(() => parseCheckpoint(`o\n1\n${root}\n`), malformed, root);
  const texts = [
    "",
    "\n",
    "o\n",
    "o\n1\n",
    `o\n1\n${hash}`,
    `\n1\n${hash}\n`,
    `o\n1\n${hash}\n\n`,
    `o\n1\n${hash}\n\nx\n`,
    `o\r\n1\r\n${hash}\r\n`,
    `o\t\n1\n${hash}\n`,
    `\ud800\n1\n${hash}\n`,
    "\n".repeat(1_000_000),
  ];
  for (const text of texts) assert.throws(() => parseCheckpoint(text), malformed, JSON.stringify(text.slice(0, 60)));
  for (const size of ["0", "1", "9007199254740991"]) {
    assert.equal(parseCheckpoint(`o\n${size}\n${hash}\n`).size, Number(size));
  }
});

test("a checkpoint that could not be parsed is not written", () => {
  const good = { origin: "o", size: 1, root };
  for (const origin of ["", "a\nb", "a\r", "\ud800"])
    assert.throws(() => formatCheckpoint({ ...good, origin }), malformed);
  for (const size of [-1, 0.5, Number.NaN, 2 ** 53, 1e21])
    assert.throws(() => formatCheckpoint({ ...good, size }), malformed);
  assert.throws(() => formatCheckpoint({ ...good, root: root.subarray(1) }), malformed);
  assert.throws(() => formatCheckpoint({ ...good, extensions: [""] }), malformed);
  assert.throws(() => formatCheckpoint({ ...good, extensions: ["a\nb"] }), malformed);
  assert.throws(() => signCheckpoint(good, signer), malformed); // another log's origin
});

test("a signed checkpoint opens for its own log only", () => {
  const note = signCheckpoint({ origin, size: 1, root }, signer);
  const opened = openCheckpoint(Buffer.from(note), origin, [parseVerifier(signer.verifier.vkey)]);
  assert.deepEqual(opened, { origin, size: 1, root, extensions: [] });
  assert.throws(() => openCheckpoint(note, "other.example", [signer.verifier]), unverified);
  assert.throws(() => openCheckpoint(note, origin, []), unverified);
  assert.throws(() => openCheckpoint(note, origin, [parseSigner(generateKey(origin).skey).verifier]), unverified);
  // A text that names another log, signed by this log's key.
  const foreign = signNote(formatCheckpoint({ origin: "other.example", size: 1, root }), [signer]);
  assert.throws(() => openCheckpoint(foreign, origin, [signer.verifier]), unverified);
  assert.throws(() => openCheckpoint(foreign, "other.example", [signer.verifier]), unverified);
  assert.throws(() => openCheckpoint(signNote("no checkpoint\n", [signer]), origin, [signer.verifier]), malformed);
});

test("a witness's signature cannot replace the log's, but an invalid one is refused", () => {
  const text = formatCheckpoint({ origin, size: 1, root });
  const keys = [signer.verifier, witness.verifier];
  openCheckpoint(signNote(text, [witness, signer]), origin, keys);
  assert.throws(() => openCheckpoint(signNote(text, [witness]), origin, keys), unverified);
  const bad = signNote(text, [signer]) + signNote("x\n", [witness]).split("\n").slice(-2).join("\n");
  openCheckpoint(bad, origin, [signer.verifier]);
  assert.throws(() => openCheckpoint(bad, origin, keys), unverified);
});

test("an empty log has the root of the empty tree", () => {
  openCheckpoint(signCheckpoint({ origin, size: 0, root: emptyRoot }, signer), origin, [signer.verifier]);
  const wrong = signCheckpoint({ origin, size: 0, root }, signer);
  assert.throws(() => openCheckpoint(wrong, origin, [signer.verifier]), unverified);
});

test("changing any bit of a signed checkpoint is noticed", () => {
  const good = Buffer.from(signCheckpoint({ origin, size: 1_000, root, extensions: ["x"] }, signer));
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = Buffer.from(good);
    bad[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(
      mayRefuse(() => openCheckpoint(bad, origin, [signer.verifier])),
      undefined,
    );
  }
});
