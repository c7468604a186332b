import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, test } from "node:test";
import { bech32 } from "@scure/base";
import { Decrypter, Encrypter } from "age-encryption";
import fc from "fast-check";
import { X25519Recipient } from "../../src/seal/x25519.ts";
import { bytes, collect, inPieces, type Pair, pair, sealerFor } from "./pair.ts";

const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 3_000_001];

/** Makes random numbers a function of their length and of how many of that length were drawn before. */
function fixRandomness(t: TestContext, salt: string): () => void {
  let drawn = new Map<number, number>();
  t.mock.method(crypto, "getRandomValues", <T extends NodeJS.ArrayBufferView>(out: T): T => {
    const view = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    const count = drawn.get(view.length) ?? 0;
    // Of 16 bytes: the file key first, then nonces, all the same in this test only.
    drawn.set(view.length, view.length === 16 ? 1 : count + 1);
    for (let at = 0; at < view.length; at += 32)
      view.set(
        createHash("sha256")
          .update(`${salt} ${view.length} ${count} ${at}`)
          .digest()
          .subarray(0, view.length - at),
        at,
      );
    return out;
  });
  return () => {
    drawn = new Map();
  };
}

function libraryFor(pairs: readonly Pair[]): Encrypter {
  const age = new Encrypter();
  for (const { recipient } of pairs) age.addRecipient(recipient);
  return age;
}

for (const kind of ["classical", "post-quantum"] as const) {
  for (const count of [1, 2, 3]) {
    test(`with the same random numbers it makes the same bytes as age-encryption: ${count} ${kind}`, async (t) => {
      const pairs = await Promise.all(Array.from({ length: count }, () => pair(kind)));
      const [sealer, library] = [await sealerFor(...pairs), libraryFor(pairs)];
      const again = fixRandomness(t, kind);
      for (const size of SIZES) {
        const plain = bytes(size);
        again();
        const expected = await library.encrypt(plain);
        again();
        assert.deepEqual(Buffer.from(await sealer.seal(plain)), Buffer.from(expected));
        again();
        const streamed = await collect(await sealer.sealStream(inPieces(plain, 40_001)));
        assert.ok(streamed.equals(expected), `${size}, streamed`);
      }
    });
  }
}

test("any bytes sealed by one can be opened by the other", async () => {
  const one = await pair();
  const [sealer, library, decrypter] = [await sealerFor(one), libraryFor([one]), new Decrypter()];
  decrypter.addIdentity(one.identity);
  const around = fc.tuple(fc.constantFrom(0, 65_536, 131_072), fc.integer({ min: -2, max: 2 }));
  const sizes = fc.oneof(
    around.map(([size, off]) => Math.max(0, size + off)),
    fc.integer({ min: 0, max: 200_000 }),
  );
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 150_000 }), async (size, piece) => {
      const plain = bytes(size);
      const streamed = await collect(await sealer.sealStream(inPieces(plain, piece)));
      for (const sealed of [await sealer.seal(plain), streamed])
        assert.ok(plain.equals(await decrypter.decrypt(sealed)));
      const theirs = await library.encrypt(plain);
      assert.ok(plain.equals(await one.opener.open(theirs)));
      assert.ok(plain.equals(await collect(await one.opener.openStream(inPieces(theirs, piece)))));
    }),
    { numRuns: 40 },
  );
});

test("no two seals share a file key, a nonce or an ephemeral key", async (t) => {
  const sealer = await sealerFor(await pair(), await pair());
  const drawn: string[] = [];
  const real = crypto.getRandomValues.bind(crypto);
  t.mock.method(crypto, "getRandomValues", <T extends NodeJS.ArrayBufferView>(out: T): T => {
    real(out as unknown as Uint8Array<ArrayBuffer>);
    drawn.push(Buffer.from(out.buffer, out.byteOffset, out.byteLength).toString("hex"));
    return out;
  });
  const sealed = [];
  for (let n = 0; n < 20; n++) sealed.push(Buffer.from(await sealer.seal(bytes(100))));
  // File key, two ephemeral keys, and the nonce.
  assert.equal(drawn.length, 20 * 4);
  assert.equal(new Set(drawn).size, drawn.length);
  for (const [n, whole] of sealed.entries()) {
    const nonce = whole.subarray(whole.indexOf("\n", whole.indexOf("\n--- ") + 1) + 1).subarray(0, 16);
    assert.equal(nonce.toString("hex"), drawn[n * 4 + 3]);
  }
});

test("concurrent seals do not mix", async () => {
  const [one, two] = [await pair(), await pair()];
  const [first, second] = [await sealerFor(one), await sealerFor(two)];
  const plain = Array.from({ length: 50 }, (_, n) => bytes(1000 + n));
  const sealed = await Promise.all(plain.map((each, n) => (n % 2 === 0 ? first : second).seal(each)));
  for (const [n, each] of plain.entries())
    assert.ok(each.equals(await (n % 2 === 0 ? one : two).opener.open(sealed[n]!)));
});

test("a low-order point is refused, as age-encryption refuses it", async () => {
  for (const hex of [
    "00".repeat(32),
    `01${"00".repeat(31)}`,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    `ec${"ff".repeat(30)}7f`,
  ]) {
    const recipient = bech32.encodeFromBytes("age", Buffer.from(hex, "hex"));
    const native = X25519Recipient.of(recipient);
    assert.ok(native);
    assert.throws(() => native.stanza(new Uint8Array(16)));
    const library = new Encrypter();
    library.addRecipient(recipient);
    await assert.rejects(library.encrypt(bytes(10)));
  }
});
