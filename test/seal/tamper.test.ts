import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { type ErrorCode, HoldfastError, hasCode } from "../../src/core/error.ts";
import { bytes, inPieces, type Pair, pair, released, sealerFor } from "./pair.ts";

const CHUNK = 65_536;
const plain = bytes(3 * CHUNK + 100);
let one: Pair;
let sealed: Buffer;
/** Start of the payload's first chunk. */
let start: number;

before(async () => {
  one = await pair();
  sealed = Buffer.from(await (await sealerFor(one, await pair())).seal(plain));
  start = sealed.indexOf("\n", sealed.indexOf("\n--- ") + 1) + 1 + 16;
});

/** Checks that it does not open, whole or streamed, and that the stream released only whole original chunks. */
async function refused(altered: Uint8Array, ...codes: readonly ErrorCode[]): Promise<number> {
  await assert.rejects(one.opener.open(altered), (error) => hasCode(error, ...codes));
  const { got, error } = await released(one.opener.openStream(inPieces(altered, 40_000)));
  assert.ok(hasCode(error, ...codes), String(error));
  assert.deepEqual(got, plain.subarray(0, got.length));
  assert.equal(got.length % CHUNK, 0);
  return got.length / CHUNK;
}

test("truncated at or beside any chunk boundary, it is refused", async () => {
  const boundaries = [0, 1, 10, start - 16, start, ...[1, 2, 3].map((n) => start + n * (CHUNK + 16)), sealed.length];
  for (const boundary of boundaries) {
    for (const at of [boundary - 1, boundary, boundary + 1]) {
      if (at >= 0 && at < sealed.length) await refused(sealed.subarray(0, at), "unverified");
    }
  }
});

test("with extra bytes at the end, it is refused", async () => {
  for (const more of [Buffer.alloc(1), Buffer.alloc(16), Buffer.alloc(CHUNK + 16), sealed.subarray(start)])
    await refused(Buffer.concat([sealed, more]), "unverified");
});

test("a byte changed anywhere in the payload is refused, and nothing of its chunk is released", async () => {
  const places = fc.integer({ min: start - 16, max: sealed.length - 1 });
  await fc.assert(
    fc.asyncProperty(places, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const altered = Buffer.from(sealed);
      altered[at]! ^= flip;
      const chunks = await refused(altered, "unverified");
      assert.ok(chunks <= Math.max(0, Math.floor((at - start) / (CHUNK + 16))));
    }),
    { numRuns: 60 },
  );
});

test("a byte changed anywhere in the header is refused before anything is released", async () => {
  const short = await (await sealerFor(one)).seal(bytes(10));
  const header = Buffer.from(short).indexOf("\n", Buffer.from(short).indexOf("\n--- ") + 1) + 1;
  for (let at = 0; at < header; at++) {
    for (const flip of [1, 32, 128]) {
      const altered = Buffer.from(short);
      altered[at]! ^= flip;
      // An altered stanza may look like one for another recipient.
      const { got, error } = await released(one.opener.openStream(inPieces(altered, 50)));
      assert.ok(hasCode(error, "unverified", "key"), `${at}: ${error}`);
      assert.equal(got.length, 0);
    }
  }
});

test("swapped, repeated or missing chunks are refused", async () => {
  const head = sealed.subarray(0, start);
  const chunks = [0, 1, 2, 3].map((n) => sealed.subarray(start + n * (CHUNK + 16), start + (n + 1) * (CHUNK + 16)));
  for (const order of [[1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 2, 3], [0, 1, 3], [3], [0, 1, 2, 3, 3]])
    await refused(Buffer.concat([head, ...order.map((n) => chunks[n]!)]), "unverified");
});

test("other input is refused with the right code", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (garbage, dressed) => {
      const given = dressed ? Buffer.concat([Buffer.from("age-encryption.org/v1\n-> "), garbage]) : garbage;
      const { got, error } = await released(one.opener.openStream(inPieces(given, 64)));
      assert.ok(hasCode(error, "unverified", "key"), String(error));
      assert.equal(got.length, 0);
    }),
  );
});

test("a store's error passes through: an unreadable file is not a tampered one", async () => {
  for (const failure of [
    new HoldfastError("vault-unavailable", "gone"),
    Object.assign(new Error("no"), { code: "EIO" }),
  ]) {
    for (const at of [0, 100, start, start + CHUNK + 100]) {
      const broken = async function* () {
        yield* inPieces(sealed.subarray(0, at), 40_000);
        throw failure;
      };
      const { error } = await released(one.opener.openStream(broken()));
      assert.equal(error, failure);
    }
  }
});
