import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseRate } from "../../src/config/rate.ts";
import { costTable, nightOf, perObject } from "../bench/cost.ts";

test("docs/BENCHMARKS.md says what a night costs, of the figures that were measured", async () => {
  const [, written] = /<!-- cost -->\n\n([\s\S]*)\n<!-- \/cost -->/.exec(readFileSync("docs/BENCHMARKS.md", "utf8"))!;
  assert.equal(written, costTable(await perObject({ figures: [] })), "write it again: npm run bench -- --only cost");
});

const limit = { rate: parseRate("100/min"), isPublished: true, isWalked: true };
/** Three requests for a person and two for files; a changed one has four, and one of them for a file. */
const measured = { fresh: [500, 200], changed: [40, 10] } as const;

test("a night is pages, turns and changes; its store, new objects and a sixtieth of all locks", () => {
  const night = nightOf(30_000, measured, limit, 1.5);
  assert.equal(night.requests, 300 + 1_000 * 3 + 30 * 4);
  assert.ok(Math.abs(night.hours - 3_420 / 100 / 60) < 1e-9);
  assert.deepEqual([night.puts, night.locks], [30 * 2 * 1.5, (30_000 * 3) / 60]);
  assert.equal(night.dollars, ((90 + 1_500) * 0.005) / 1_000);
  assert.deepEqual([night.slowest, night.resync], ["requests", null]);
});

test("a night longer than a day says with which resync it is not", () => {
  const people = 3_000_000;
  const night = nightOf(people, measured, limit, 1);
  assert.ok(night.hours > 24);
  // Pages and changes take 7 hours; 300,000 requests of turns at 6,000 an hour must fit into the other 17.
  const left = 24 - (people / 100 + 3_000 * 4) / 6_000;
  assert.equal(night.resync, Math.ceil((people * 3) / 6_000 / left));
});

test("what the provider limits apart may be what takes the time", () => {
  const night = nightOf(30_000, measured, { ...limit, apart: { of: "AML cases", rate: parseRate("10/min") } }, 1);
  assert.equal(night.slowest, "AML cases");
  assert.ok(Math.abs(night.hours - 1_030 / 600) < 1e-9);
});
