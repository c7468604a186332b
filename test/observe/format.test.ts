import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, money, number, plural, rate, seconds } from "../../src/observe/format.ts";

test("numbers are grouped", () => {
  assert.deepEqual([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
});

test("bytes: decimal units, three digits", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [1234, "1.23 kB"],
    [12_345, "12.3 kB"],
    [123_456, "123 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [1_250_000, "1.25 MB"],
    [5e15, "5.00 PB"],
    [5e18, "5000 PB"],
  ];
  for (const [value, text] of cases) assert.equal(bytes(value), text);
});

test("money: two digits, and a price that rounds to nothing is not zero", () => {
  assert.deepEqual([0, 0.0006, 0.004999, 0.005, 0.09, 12.3].map(money), [
    ...["0.00", "below 0.01", "below 0.01", "0.01", "0.09", "12.30"],
  ]);
});

test("seconds: one unit, then two", () => {
  const cases: [number, string][] = [
    [0, "0.0 s"],
    [0.84, "0.8 s"],
    [9.94, "9.9 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [3599.4, "59 min 59 s"],
    [3599.6, "1 h"],
    [7500, "2 h 5 min"],
    [90_000, "25 h"],
    [172_799, "47 h 59 min"],
    [750_000, "8 days 16 h"],
    [691_200, "8 days"],
  ];
  for (const [value, text] of cases) assert.equal(seconds(value), text);
});

test("rates, before any time has passed too", () => {
  assert.deepEqual([rate(0, 0), rate(5, 0), rate(5, 2), rate(1000, 2)], ["0.0/s", "0.0/s", "2.5/s", "500/s"]);
});

test("one and many", () => {
  assert.deepEqual(
    [0, 1, 2, 1000].map((count) => plural(count, "record")),
    ["0 records", "1 record", "2 records", "1,000 records"],
  );
  assert.deepEqual(
    [0, 1, 2].map((count) => plural(count, "entry", "entries")),
    ["0 entries", "1 entry", "2 entries"],
  );
});
