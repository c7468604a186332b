import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { wrap } from "../../src/observe/wrap.ts";

test("a line that fits stays as it is", () => {
  assert.deepEqual(wrap("  log       5 entries", 21), ["  log       5 entries"]);
});

test("text that does not fit continues below the text, next to its labels", () => {
  assert.deepEqual(wrap("  failed    1 (logged; the next run retries them)", 30), [
    "  failed    1 (logged; the",
    "            next run retries",
    "            them)",
  ]);
  assert.deepEqual(wrap("  ok       config   one client in it, and no doubt", 42), [
    "  ok       config   one client in it, and",
    `${" ".repeat(20)}no doubt`,
  ]);
  assert.deepEqual(wrap("  → run it again, and look", 20), ["  → run it again,", "    and look"]);
});

test("a heading goes on further in, where no line of ours begins", () => {
  assert.deepEqual(wrap("acme: key  signed by a friend of yours", 22), [
    "acme: key  signed by a",
    "    friend of yours",
  ]);
});

test("a word that is too long has a row of its own, whole", () => {
  const key = "x".repeat(50);
  assert.deepEqual(wrap(`  key       signed by ${key} there`, 40), [
    "  key       signed by",
    `            ${key}`,
    "            there",
  ]);
});

test("no word is broken or lost, and no row of several words is too long", () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,20}$/), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(words, fc.integer({ min: 10, max: 100 }), fc.integer({ min: 0, max: 30 }), (list, width, indent) => {
      const rows = wrap(" ".repeat(indent) + list.join(" "), width);
      assert.deepEqual(
        rows.flatMap((row) => row.trim().split(" ")),
        list,
      );
      for (const row of rows) assert.ok(row.length <= width || !row.trim().includes(" "), JSON.stringify(row));
    }),
  );
});
