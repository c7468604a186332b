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

test("a word that is too long for a row is broken, and goes on below the text", () => {
  assert.deepEqual(wrap(`  key       signed by ${"x".repeat(50)} there`, 40), [
    "  key       signed by",
    `            ${"x".repeat(28)}`,
    `            ${"x".repeat(22)} there`,
  ]);
});

test("wide characters count as the two columns that they take", () => {
  assert.deepEqual(wrap("acme: 山田太郎山田太郎 checked", 20), ["acme:", "    山田太郎山田太郎", "    checked"]);
  assert.deepEqual(wrap("🦊".repeat(7), 10), ["🦊🦊🦊🦊🦊", "    🦊🦊"]);
});

test("nothing is lost, no row is too long, and every row but the first is indented", () => {
  const word = fc.oneof(fc.stringMatching(/^[a-z]{1,40}$/), fc.stringMatching(/^[山田é🦊]{1,30}$/u));
  const words = fc.array(word, { minLength: 1, maxLength: 30 });
  const drawn = (row: string) => [...row].reduce((sum, each) => sum + (/[山田🦊]/u.test(each) ? 2 : 1), 0);
  fc.assert(
    fc.property(words, fc.integer({ min: 10, max: 100 }), fc.integer({ min: 0, max: 5 }), (list, width, indent) => {
      const rows = wrap(" ".repeat(indent) + list.join(" "), width);
      assert.equal(rows.join("").replaceAll(" ", ""), list.join(""));
      for (const row of rows) assert.ok(drawn(row) <= width, JSON.stringify(row));
      for (const row of rows.slice(1)) assert.match(row, /^ {4}/);
    }),
  );
});
