import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { turnOf } from "../../src/export/turn.ts";

const DAY = 86_400_000;
const whole = 30 * DAY;
const resync = Temporal.Duration.from("P30D");
const at = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms);
const isTurn = (subject: string, last: number, now: number): boolean =>
  turnOf(at(last), at(now), resync).some(([from, to]) => subject >= from && subject < to);

/** Times of runs from some day on: minutes to months apart, and clocks that are set back. */
const runs = fc
  .tuple(
    fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 * DAY }) },
        { weight: 2, arbitrary: fc.integer({ min: 3 * DAY, max: 70 * DAY }) },
        { weight: 1, arbitrary: fc.integer({ min: -2 * DAY, max: 0 }) },
      ),
      { minLength: 1, maxLength: 40 },
    ),
  )
  .map(([first, gaps]) => gaps.map((_, n) => gaps.slice(0, n).reduce((sum, gap) => sum + gap, first)));
const subjects = fc.array(
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString("hex")),
  { minLength: 1, maxLength: 20 },
);

/** The times at which the hand passes someone: once in each round, at their share of it. */
function passed(subject: string, from: number, to: number): number {
  const own = Number((BigInt(`0x${subject.slice(0, 12)}`) * BigInt(whole)) >> 48n);
  return Math.ceil((to - own) / whole) - Math.ceil((from - own) / whole);
}

test("someone is asked when the hand passed them since the last run", () => {
  fc.assert(
    fc.property(runs, subjects, (times, people) => {
      for (const [n, now] of times.entries()) {
        if (n === 0) continue;
        for (const subject of people) {
          // Within a millisecond of their own time, rounding decides.
          const near = [times[n - 1]!, now].some((time) => passed(subject, time - 2, time + 2) !== 0);
          if (!near) assert.equal(isTurn(subject, times[n - 1]!, now), passed(subject, times[n - 1]!, now) > 0);
        }
      }
    }),
  );
});

test("after any run of a clock that goes on, everyone was asked within the last resync", () => {
  fc.assert(
    fc.property(runs, subjects, (times, people) => {
      const forward = times.filter((time, n) => times.slice(0, n).every((before) => before < time));
      for (const subject of people) {
        let asked = forward[0]!;
        for (const [n, now] of forward.entries()) {
          if (n === 0) continue;
          if (isTurn(subject, forward[n - 1]!, now)) asked = now;
          assert.ok(now - asked < whole, "the next run is late for this one");
        }
      }
    }),
  );
});

test("the ranges of runs that follow each other meet without a gap or an overlap", () => {
  fc.assert(
    fc.property(runs, subjects, (times, people) => {
      const forward = times.filter((time, n) => times.slice(0, n).every((before) => before < time));
      const [first, last] = [forward[0]!, forward.at(-1)!];
      if (last - first >= whole) return;
      for (const subject of people) {
        const asked = forward.filter((now, n) => n > 0 && isTurn(subject, forward[n - 1]!, now));
        assert.equal(asked.length, isTurn(subject, first, last) ? 1 : 0);
      }
    }),
  );
});

test("a round that ends between two runs goes on at the first subjects", () => {
  const begin = Math.ceil(1_790_000_000_000 / whole) * whole;
  const low = "00".padEnd(32, "1");
  const high = "ff".padEnd(32, "f");
  const [before, after] = [begin - DAY, begin + DAY];
  assert.deepEqual(
    [low, "80".padEnd(32, "0"), high].map((subject) => isTurn(subject, before, after)),
    [true, false, true],
  );
});

test("after a time as long as a round it is everyone's turn; after a clock that was set back, no one's", () => {
  const now = 1_790_000_000_000;
  const all = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, "0").padEnd(32, "7"));
  assert.ok(all.every((subject) => isTurn(subject, now - whole, now)));
  assert.ok(!all.some((subject) => isTurn(subject, now, now) || isTurn(subject, now + DAY, now)));
});

test("months and years of a resync have a fixed length", () => {
  const [now, last] = [at(1_790_000_000_000), at(1_790_000_000_000 - 31 * DAY)];
  assert.deepEqual(turnOf(last, now, Temporal.Duration.from("P1M")), [["", "g"]]);
  assert.notDeepEqual(turnOf(last, now, Temporal.Duration.from("P2M")), [["", "g"]]);
});
