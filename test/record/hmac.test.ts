import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { Hmac } from "../../src/record/hmac.ts";

const key = Buffer.from("5e".repeat(32), "hex");
const expected = (text: string | Uint8Array): string => createHmac("sha256", key).update(text).digest("hex");

test("texts and bytes of any length, one after the other, give what createHmac gives", () => {
  const hmac = new Hmac(key);
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string(),
    fc.uint8Array({ maxLength: 300 }),
    // Around the length of a block, and that of the longest text that is hashed in place.
    fc.nat(200).map((length) => "x".repeat(length)),
    fc.integer({ min: 5_300, max: 5_500 }).map((length) => "\u20ac".repeat(length)),
    fc.integer({ min: 16_300, max: 16_500 }).map((length) => new Uint8Array(length).fill(7)),
    fc.constantFrom("\ud800", "a\udc00b", "\0", ""),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
      for (const each of texts) assert.equal(hmac.of(each), expected(each));
    }),
    { numRuns: 500 },
  );
});
