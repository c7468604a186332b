import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import {
  generateKey,
  MAX_SIGNATURES,
  MAX_SIGNED_NOTE,
  openNote,
  parseSignedNote,
  parseSigner,
  parseVerifier,
  Signer,
  signNote,
  Verifier,
} from "../../src/audit/note.ts";
import { malformed, mayRefuse, unverified } from "./refusal.ts";

const vectors = JSON.parse(readFileSync(new URL("../vectors/note.json", import.meta.url), "utf8"));
const { text } = vectors;
const { peter, enoch } = vectors.keys;
const peterKey = parseVerifier(peter.vkey);
const enochKey = parseVerifier(enoch.vkey);
const names = (signatures: readonly { name: string }[]) => signatures.map((s) => s.name);

test("published keys and signature", () => {
  const signer = parseSigner(peter.skey);
  assert.deepEqual([signer.name, signer.id], [peter.name, peter.id]);
  assert.equal(signer.verifier.vkey, peter.vkey);
  assert.deepEqual([enochKey.name, enochKey.id, enochKey.vkey], [enoch.name, enoch.id, enoch.vkey]);
  assert.equal(signNote(text, [signer]), `${text}\n${peter.signature}`);
});

test("published notes open with the known keys", () => {
  const both = `${text}\n${peter.signature}${enoch.signature}`;
  const one = openNote(Buffer.from(both), [peterKey]);
  assert.equal(one.text, text);
  assert.deepEqual([names(one.verified), names(one.unknown)], [[peter.name], [enoch.name]]);
  const two = openNote(both, [enochKey, peterKey]);
  assert.deepEqual([names(two.verified), names(two.unknown)], [[peter.name, enoch.name], []]);
  assert.throws(() => openNote(both, []), unverified);
  // A key given twice looks like two keys with the same name and ID.
  assert.throws(() => openNote(`${text}\n${enoch.signature}`, [enochKey, peterKey, enochKey]), unverified);
  openNote(`${text}\n${peter.signature}`, [enochKey, peterKey, enochKey]);
});

test("published notes that must not open", () => {
  const long = (line: string) => `${line.slice(0, 60)}ABCD${line.slice(60)}`;
  assert.throws(() => openNote(`${text}\n${peter.signature.repeat(101)}`, [peterKey]), malformed);
  assert.throws(() => openNote(`${text}\n${peter.signature.repeat(101)}`, []), malformed);
  assert.throws(() => openNote(`${text}\n${long(peter.signature)}`, [peterKey]), unverified);
  const repeated = peter.signature.repeat(2) + enoch.signature.repeat(2) + long(enoch.signature);
  const note = openNote(`${text}\n${repeated}`, [peterKey]);
  assert.deepEqual([names(note.verified), names(note.unknown)], [[peter.name], [enoch.name, enoch.name]]);
  const bad = [
    text,
    `${text}\n`,
    `${text}\n${peter.signature.slice(0, -1)}`,
    `\x01${text}\n${peter.signature}`,
    Buffer.concat([Buffer.of(0xff), Buffer.from(`${text}\n${peter.signature}`)]),
    `${text}\n${peter.signature.replace("PeterNeumann", "Bad Name").slice(0, -1)}`,
    `${text}\n${peter.signature.replace("PeterNeumann", "Bad Name")}`,
    `${text}\n${peter.signature}Unexpected line.\n`,
  ];
  for (const note of bad) assert.throws(() => openNote(note, [peterKey]), malformed);
});

test("a key is unknown unless both name and ID match", () => {
  const misnamed = peter.signature.replace("PeterNeumann", "CarmenSandiego");
  const wrongId = peter.signature.replace("x08g", "xxxx");
  for (const line of [misnamed, wrongId]) {
    assert.throws(() => openNote(`${text}\n${line}`, [peterKey]), unverified);
    assert.deepEqual(openNote(`${text}\n${line}${enoch.signature}`, [peterKey, enochKey]).unknown.length, 1);
  }
});

test("published examples of the specification parse and are written back byte for byte", () => {
  for (const example of [vectors.specNote, vectors.specCheckpoint]) {
    const note = parseSignedNote(example);
    assert.equal(note.signatures.length, 1);
    const [{ name, id, bytes } = assert.fail()] = note.signatures;
    assert.equal(bytes.length, 64);
    const line = `— ${name} ${Buffer.concat([Buffer.from(id, "hex"), bytes]).toString("base64")}\n`;
    assert.equal(`${note.text}\n${line}`, example);
  }
  assert.ok(parseSignedNote(vectors.specNote).text.endsWith("sole:\n\ned è subito sera.\n"));
});

test("published invalid keys are refused: every part and every next byte", () => {
  for (const vkey of Object.values(vectors.badVerifiers) as string[]) {
    assert.throws(() => parseVerifier(vkey), malformed);
  }
  for (const [key, parse] of [
    [peter.vkey, parseVerifier],
    [peter.skey, parseSigner],
  ] as const) {
    for (let i = 0; i <= key.length; i++) {
      for (let j = i; j <= key.length; j++) {
        if (i !== 0 || j !== key.length) assert.throws(() => parse(key.slice(i, j)), malformed);
      }
    }
    for (let i = 0; i < key.length; i++) {
      const next = String.fromCharCode(key.charCodeAt(i) + 1);
      assert.throws(() => parse(key.slice(0, i) + next + key.slice(i + 1)), malformed);
    }
  }
});

test("keys have one spelling", () => {
  for (const bad of [
    `${peter.vkey}\n`,
    ` ${peter.vkey}`,
    peter.vkey.replace("c74f20a3", "C74F20A3"),
    peter.vkey.replace("c74f20a3", "0c74f20a3"),
    `${peter.vkey}=`,
    peter.vkey.replaceAll("/", "_"),
    `PRIVATE+KEY+${peter.vkey}`,
    "",
    "+".repeat(1_000_000),
    "a".repeat(1_000_000),
  ]) {
    assert.throws(() => parseVerifier(bad), malformed);
    assert.throws(() => parseSigner(bad), malformed);
  }
  assert.throws(() => parseVerifier(peter.skey), malformed);
  assert.throws(() => new Verifier("x", Buffer.alloc(31)), malformed);
  assert.throws(() => new Signer("x", Buffer.alloc(33)), malformed);
});

test("a generated key pair signs and opens", () => {
  const { skey, vkey } = generateKey("log.example/holdfast");
  const other = generateKey("log.example/holdfast");
  assert.notEqual(vkey, other.vkey);
  const signer = parseSigner(skey);
  assert.equal(signer.verifier.vkey, vkey);
  const note = signNote("hello\n", [signer]);
  assert.equal(openNote(note, [parseVerifier(vkey)]).text, "hello\n");
  assert.throws(() => openNote(note, [parseVerifier(other.vkey)]), unverified);
});

test("names: Unicode, but no space, plus sign or control character", () => {
  for (const name of ["a", "log.example/holdfast", "žurnál", "日誌", "x\u200by"]) {
    const signer = parseSigner(generateKey(name).skey);
    assert.equal(openNote(signNote("t\n", [signer]), [signer.verifier]).verified[0]?.name, name);
  }
  for (const name of [
    "",
    "a b",
    "a+b",
    "a\tb",
    "a\nb",
    "a\u0085b",
    "a\u00a0b",
    "a\u2003b",
    "a\u3000b",
    "a\u2028b",
    "a\0b",
    "\ud800",
  ]) {
    assert.throws(() => generateKey(name), malformed, JSON.stringify(name));
  }
});

test("a signer shows only its name and public key", () => {
  const signer = parseSigner(peter.skey);
  const seed = Buffer.from(peter.skey.slice(-44), "base64").subarray(1);
  const shown = [
    inspect(signer, { depth: 10, showHidden: true, getters: true }),
    JSON.stringify(signer),
    String(signer),
    Object.values(signer).map(String).join(),
    inspect({ ...signer }, { depth: 10, showHidden: true }),
  ].join("\n");
  for (const secret of [
    peter.skey,
    peter.skey.slice(-40),
    seed.toString("hex"),
    seed.toString("base64"),
    inspect(seed),
  ]) {
    assert.ok(!shown.includes(secret));
  }
  // Nor does an error about a key with one wrong character.
  const id = peter.skey.replace("c74f20a3", "c74f20a4");
  assert.throws(
    () => parseSigner(id),
    (error) => malformed(error) && !inspect(error).includes(peter.skey.slice(-40)),
  );
});

test("texts: the signed text is the text that is read", () => {
  const signer = parseSigner(peter.skey);
  const line = fc.string({ unit: "grapheme" }).filter((s) => !/\p{Cc}/u.test(s));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const text = `${lines.join("\n")}\n`;
      const note = signNote(text, [signer]);
      assert.equal(openNote(Buffer.from(note), [peterKey]).text, text);
      assert.equal(openNote(note, [peterKey]).text, text);
    }),
    { numRuns: 200, examples: [[[]], [["", "", ""]], [["\ufeffx"]], [[peter.signature.trim(), "", ""]]] },
  );
  for (const text of ["", "no line feed", "tab\t\n", "cr\r\n", "nul\0\n", "us\x1f\n", "\ud800\n"]) {
    assert.throws(() => signNote(text, [signer]), malformed, JSON.stringify(text));
  }
  assert.throws(() => signNote("x\n", []), malformed);
});

test("changing any bit of a note is noticed, except in an unknown key's line", () => {
  const signer = parseSigner(peter.skey);
  const stranger = parseSigner(generateKey("stranger.example").skey);
  for (const text of ["a\nb\n", "a\n\nb\n"]) {
    for (const signers of [
      [signer, stranger],
      [stranger, signer],
    ]) {
      const good = Buffer.from(signNote(text, signers));
      const start = good.indexOf("— stranger");
      const end = good.indexOf("\n", start);
      for (let bit = 0; bit < good.length * 8; bit++) {
        const bad = Buffer.from(good);
        bad[bit >> 3]! ^= 1 << (bit & 7);
        const note = mayRefuse(() => openNote(bad, [peterKey]));
        if (note === undefined) continue;
        assert.ok(bit >> 3 >= start && bit >> 3 < end, `bit ${bit} of ${good}`);
        assert.deepEqual([note.text, names(note.verified), note.unknown.length], [text, [peter.name], 1]);
      }
    }
  }
});

test("bounds: 100 signatures, 1 MB", () => {
  const signers = Array.from({ length: MAX_SIGNATURES }, (_, i) => parseSigner(generateKey(`key${i}`).skey));
  assert.equal(
    openNote(
      signNote("t\n", signers),
      signers.map((s) => s.verifier),
    ).verified.length,
    100,
  );
  assert.equal(openNote(signNote("t\n", signers.slice(0, 16)), [signers[15]!.verifier]).unknown.length, 15);
  assert.throws(() => signNote("t\n", [...signers, signers[0]!]), malformed);
  const signer = parseSigner(peter.skey);
  const rest = Buffer.byteLength(signNote("\n", [signer])) - 1;
  const largest = `${"x".repeat(MAX_SIGNED_NOTE - rest - 1)}\n`;
  const note = signNote(largest, [signer]);
  assert.equal(Buffer.byteLength(note), MAX_SIGNED_NOTE);
  assert.equal(openNote(note, [peterKey]).text.length, largest.length);
  assert.throws(() => signNote(`x${largest}`, [signer]), malformed);
  assert.throws(() => parseSignedNote(`x${note}`), malformed);
  assert.throws(() => parseSignedNote(Buffer.from(`x${note}`)), malformed);
  assert.throws(() => parseSignedNote(`é${note.slice(1)}`), malformed);
});

test("signature lines have one spelling", () => {
  const base64 = peter.signature.trim().split(" ").at(-1);
  for (const line of [
    `- PeterNeumann ${base64}`,
    `– PeterNeumann ${base64}`,
    `—PeterNeumann ${base64}`,
    `—  PeterNeumann ${base64}`,
    `— PeterNeumann  ${base64}`,
    `— PeterNeumann ${base64} `,
    `— PeterNeumann\u00a0${base64}`,
    `— Peter+Neumann ${base64}`,
    `—  ${base64}`,
    `— ${base64}`,
    "— PeterNeumann ",
    "— PeterNeumann x08gow==", // a key ID without signature
    `— PeterNeumann ${base64.slice(0, -1)}`,
    `— PeterNeumann ${base64.replace("nAM=", "nAN=")}`, // the unused bits set
    `— PeterNeumann ${base64.replaceAll("/", "_")}`,
    "—",
    " ",
    "x",
  ]) {
    for (const signatures of [`${line}\n`, `${peter.signature}${line}\n`, `${line}\n${peter.signature}`]) {
      assert.throws(() => openNote(`${text}\n${signatures}`, [peterKey]), malformed, line);
    }
  }
});

test("hostile input of any form is refused quickly", () => {
  const near = fc.array(
    fc.constantFrom(
      "\n",
      "— ",
      "\n\n",
      "a",
      " ",
      "+",
      peter.signature,
      text,
      "AAAAAAAA",
      "=",
      "\0",
      "\ud800",
      "\ufeff",
    ),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        near.map((parts) => parts.join("")),
        fc.string({ unit: "binary-ascii" }),
        fc.uint8Array(),
      ),
      (input) => {
        mayRefuse(() => openNote(input, [peterKey]));
        mayRefuse(() => parseSignedNote(input));
        mayRefuse(() => parseVerifier(String(input)));
        mayRefuse(() => parseSigner(String(input)));
      },
    ),
    { numRuns: 1_500 },
  );
  for (const unit of ["\n", "— ", "—", " ", "\n\n— ", "— a AAAAAAAA\n", "a\n\n", "=", "+"]) {
    const size = Math.floor(MAX_SIGNED_NOTE / Buffer.byteLength(unit));
    for (const input of [unit.repeat(size), `x\n\n${unit.repeat(size - 4)}`, `x\n\n${unit.repeat(size - 4)}\n`]) {
      assert.throws(() => openNote(input, [peterKey]), malformed, JSON.stringify(unit));
    }
  }
});
