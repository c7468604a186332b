import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Gathered, type Slabs } from "../../src/vault/gathered.ts";
import { withRetry } from "../../src/vault/retry.ts";
import type { Body, Stored, Vault } from "../../src/vault/vault.ts";
import { collect, produce } from "./body.ts";
import { QUICK } from "./strict-vault.ts";

test("a body is what it was given, however it was cut, and takes no more room than it says", () => {
  const slabs: Slabs = [];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 8 }), (sizes) => {
      const chunks = sizes.map((size, at) => new Uint8Array(size).fill(at + 1));
      const given = Buffer.concat(chunks);
      using body = new Gathered(slabs);
      for (const chunk of chunks) body.add(chunk);
      assert.ok(Buffer.concat(body.pieces).equals(given));
      const room = body.pieces.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
      assert.deepEqual([body.size, room], [given.length, Gathered.room(given.length)]);
    }),
    { numRuns: 40 },
  );
});

test("it gives back the memory of a chunk at once, unless that is a part of something larger", () => {
  using body = new Gathered([]);
  const whole = new Uint8Array(100);
  const part = new Uint8Array(100).subarray(10);
  body.add(whole);
  body.add(part);
  assert.deepEqual([whole.byteLength, part.byteLength, body.size], [0, 90, 190]);
});

test("files that are stored one after the other use the same memory, and those stored at once never do", async () => {
  const inFlight = new Set<ArrayBufferLike>();
  const made = new Set<ArrayBufferLike>();
  const vault = {
    async put(key: string, body: Body): Promise<Stored> {
      const pieces = body as readonly Uint8Array[];
      const before = Buffer.concat(pieces);
      for (const { buffer } of pieces) {
        assert.ok(!inFlight.has(buffer), `${key} has memory of another file`);
        inFlight.add(buffer);
        made.add(buffer);
      }
      // The others read and store meanwhile.
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      await collect(await produce(1_000_000)());
      assert.ok(Buffer.concat(pieces).equals(before), `${key} was overwritten`);
      for (const { buffer } of pieces) inFlight.delete(buffer);
      return { key, versionId: "1", etag: "1", size: before.length, sha256: "" };
    },
  } as unknown as Vault;
  const files = withRetry(vault, { policy: QUICK });
  for (let round = 0; round < 5; round++)
    await Promise.all([3_000_000, 100_000, 1_000_000].map((size) => files.put(`${size}`, produce(size))));
  const once = [3_000_000, 100_000, 1_000_000].reduce((sum, size) => sum + Gathered.room(size), 0);
  const all = [...made].reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.ok(all <= once, `${all} bytes for files of ${once}`);
});
