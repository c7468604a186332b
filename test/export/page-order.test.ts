import assert from "node:assert/strict";
import { test } from "node:test";
import { PageOrder } from "../../src/export/page-order.ts";

test("a page has passed when all of it and all before it is settled", () => {
  const passed: (string | null)[] = [];
  const order = new PageOrder((cursor) => passed.push(cursor));
  const first = order.begin("a", 2);
  const second = order.begin("b", 1);
  order.begin("c", 0);
  second();
  first();
  assert.deepEqual(passed, []);
  first();
  assert.deepEqual(passed, ["c"]);
  order.begin(null, 0);
  assert.deepEqual(passed, ["c", null]);
});

test("one that is never settled keeps all after it from passing", () => {
  const passed: (string | null)[] = [];
  const order = new PageOrder((cursor) => passed.push(cursor));
  order.begin("a", 0);
  order.begin("b", 1);
  order.begin(null, 1)();
  assert.deepEqual(passed, ["a"]);
});
