import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { Secret } from "../../src/config/secret.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { Opener } from "../../src/seal/open.ts";
import { ageDecrypt, bytes, collect, inPieces, noAge, type Pair, pair, released, sealerFor } from "./pair.ts";

const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 5_000_000];

/** Sealed bytes: a header, 16 bytes of nonce, and 16 more for each chunk of 64 KiB. */
function payloadSize(plain: number): number {
  return 16 + plain + 16 * Math.max(1, Math.ceil(plain / 65_536));
}

const headerSize = (sealed: Uint8Array): number => {
  const mac = Buffer.from(sealed).indexOf("\n--- ");
  return Buffer.from(sealed).indexOf("\n", mac + 1) + 1;
};

for (const kind of ["classical", "post-quantum"] as const) {
  for (const count of [1, 3]) {
    describe(`${count} ${kind}`, () => {
      let pairs: Pair[];
      before(async () => {
        pairs = await Promise.all(Array.from({ length: count }, () => pair(kind)));
      });
      for (const size of SIZES) {
        test(`${size} bytes, whole and as a stream, open with each key`, async () => {
          const sealer = await sealerFor(...pairs);
          const plain = bytes(size);
          const whole = await sealer.seal(plain);
          const streamed = await collect(await sealer.sealStream(inPieces(plain, 49_999)));
          for (const sealed of [whole, streamed]) {
            assert.equal(sealed.length - headerSize(sealed), payloadSize(size));
          }
          for (const [index, { opener }] of pairs.entries()) {
            // Over all keys, every way of sealing meets every way of opening.
            const [a, b] = index % 2 === 0 ? [streamed, whole] : [whole, streamed];
            assert.ok(plain.equals(await opener.open(a)));
            if (index === 0) assert.ok(plain.equals(await collect(await opener.openStream(inPieces(b, 70_001)))));
          }
          assert.notDeepEqual(Buffer.from(whole), streamed, "a key was used twice");
        });
      }
    });
  }
}

describe("the age command", { skip: noAge }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-seal-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const keyFile = (name: string, { identity }: Pair): string => {
    writeFileSync(join(folder, name), `# a key for a test\n${identity}\n`, { mode: 0o600 });
    return join(folder, name);
  };

  test("opens what Holdfast seals, byte for byte, with either key", async () => {
    const [officer, escrow] = [await pair(), await pair()];
    const sealer = await sealerFor(officer, escrow);
    const files = [keyFile("officer.txt", officer), keyFile("escrow.txt", escrow)];
    for (const size of SIZES) {
      const plain = bytes(size);
      const streamed = await collect(await sealer.sealStream(inPieces(plain, 30_011)));
      assert.deepEqual(ageDecrypt(files[0]!, await sealer.seal(plain)), plain);
      assert.deepEqual(ageDecrypt(files[1]!, streamed), plain);
    }
  });

  test("Holdfast opens what it seals", async () => {
    const { recipient, opener } = await pair();
    for (const size of [0, 1, 65_536, 65_537]) {
      const { stdout } = spawnSync("age", ["-r", recipient], { input: bytes(size) });
      assert.deepEqual(Buffer.from(await opener.open(stdout)), bytes(size));
    }
  });
});

test("any bytes in any pieces open unchanged", async () => {
  const one = await pair();
  const sealer = await sealerFor(one);
  const parts = fc.array(fc.uint8Array({ maxLength: 300, size: "max" }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 1, max: 400 }), async (pieces, piece) => {
      const source = async function* () {
        yield* pieces;
      };
      const sealed = await collect(await sealer.sealStream(source()));
      assert.deepEqual(await collect(await one.opener.openStream(inPieces(sealed, piece))), Buffer.concat(pieces));
    }),
    { numRuns: 40 },
  );
});

test("a failing source makes the sealed stream throw its error, and its output does not open", async () => {
  const one = await pair();
  const sealer = await sealerFor(one);
  for (const failAt of [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]) {
    const cut = new HoldfastError("source-unavailable", "cut");
    const source = async function* () {
      yield* inPieces(bytes(failAt), 10_000);
      throw cut;
    };
    const { got, error } = await released(sealer.sealStream(source()));
    assert.equal(error, cut);
    const opened = await released(one.opener.openStream(inPieces(got, 65_536)));
    assert.ok(opened.error instanceof HoldfastError && opened.error.code === "unverified");
  }
});

test("leaving a sealed stream closes its source", async () => {
  const sealer = await sealerFor(await pair());
  const ended = Promise.withResolvers<void>();
  const source = async function* () {
    try {
      for (;;) yield bytes(65_536);
    } finally {
      ended.resolve();
    }
  };
  for await (const _ of await sealer.sealStream(source())) break;
  await ended.promise;
});

test("another person's key opens nothing", async () => {
  const [owner, stranger, hybrid] = [await pair(), await pair(), await pair("post-quantum")];
  const sealed = await (await sealerFor(owner)).seal(bytes(1_000));
  for (const opener of [stranger.opener, hybrid.opener, new Opener([])]) {
    const { got, error } = await released(opener.openStream(inPieces(sealed, 100)));
    assert.ok(error instanceof HoldfastError && error.code === "key");
    assert.equal(got.length, 0);
    await assert.rejects(opener.open(sealed), (thrown) => thrown instanceof HoldfastError && thrown.code === "key");
  }
  const both = new Opener([new Secret(stranger.identity), new Secret(owner.identity)]);
  assert.deepEqual(Buffer.from(await both.open(sealed)), bytes(1_000));
});
