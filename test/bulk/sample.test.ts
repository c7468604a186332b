import assert from "node:assert/strict";
import { test } from "node:test";
import { LEAST, LockSample, ONE_IN } from "../../src/bulk/sample.ts";

/** What is looked at of so many. */
function looked(count: number): Set<number> {
  const sample = new LockSample<number>();
  const found = new Set<number>();
  for (let n = 0; n < count; n++) if (sample.add(n)) found.add(n);
  const atOnce = found.size;
  for (const n of sample.rest()) found.add(n);
  assert.equal(found.size, atOnce + sample.rest().length, "nothing twice");
  return found;
}

test("up to a thousand, all are looked at", () => {
  for (const count of [0, 1, LEAST]) assert.equal(looked(count).size, count);
});

test("beyond, a thousand and one in a hundred, from everywhere, and not the same ones twice", () => {
  const count = 50_000;
  const [one, other] = [looked(count), looked(count)];
  const expected = LEAST + (count - LEAST) / ONE_IN;
  for (const found of [one, other]) {
    // Ten standard deviations.
    assert.ok(Math.abs(found.size - expected) < 10 * Math.sqrt(count / ONE_IN), `${found.size}`);
    for (let from = 0; from < count; from += count / 10)
      assert.ok([...found].filter((n) => n >= from && n < from + count / 10).length > 50, `${from}`);
  }
  assert.ok(one.intersection(other).size < one.size / 2);
});
