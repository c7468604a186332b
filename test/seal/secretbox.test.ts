import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Secret } from "../../src/config/secret.ts";
import { hasCode } from "../../src/core/error.ts";
import { Box } from "../../src/seal/secretbox.ts";

const key = (digit: string) => new Secret(digit.repeat(64));
const unverified = (error: unknown) => hasCode(error, "unverified");

test("a closed text opens again and never looks the same twice", () => {
  const box = new Box(key("a"), "test");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string(), (text, context) => {
      const closed = box.close(text, context);
      assert.equal(box.open(closed, context), text);
      assert.notEqual(box.close(text, context), closed);
    }),
  );
});

test("it does not open with another key, purpose or context", () => {
  const closed = new Box(key("a"), "test").close("Ada Lovelace", "job 1");
  assert.ok(!Buffer.from(closed, "base64url").includes("Ada"));
  assert.throws(() => new Box(key("b"), "test").open(closed, "job 1"), unverified);
  assert.throws(() => new Box(key("a"), "other").open(closed, "job 1"), unverified);
  assert.throws(() => new Box(key("a"), "test").open(closed, "job 2"), unverified);
});

test("changed, truncated or forged text is refused", () => {
  const box = new Box(key("a"), "test");
  const bytes = Buffer.from(box.close("Ada Lovelace", "job"), "base64url");
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    assert.throws(() => box.open(changed.toString("base64url"), "job"), unverified);
    assert.throws(() => box.open(bytes.subarray(0, at).toString("base64url"), "job"), unverified);
  }
  fc.assert(fc.property(fc.string(), (text) => assert.throws(() => box.open(text, "job"), unverified)));
});
