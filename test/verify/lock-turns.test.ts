import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../src/audit/entry.ts";
import { DAYS, LockTurns, type LookedAt } from "../../src/verify/lock-turns.ts";

const START = Temporal.Instant.from("2026-01-01T00:00:00Z");
const day = (n: number): Temporal.Instant => START.add({ hours: 24 * n });
/** Enough for the sample to be the smallest share, 1 %. */
const MANY = 1_000_000;
const keys = Array.from({ length: 3000 }, (_, n) => `records/${n}`);

/** Who is looked at in a run on a day, and what is remembered after it. */
function run(last: LookedAt | undefined, on: number, { entries = 10, note = (_: LockTurns): void => {} } = {}) {
  const turns = new LockTurns(last, day(on), ":memory:");
  note(turns);
  turns.begin(MANY);
  const looked = keys.filter((key) => turns.isDue({ key, entry: 5 }));
  const after = turns.after(entries);
  turns.close();
  return { looked: new Set(looked), after };
}

test("the first run looks at everything, and later ones at each object once in 30 days, however often they run", () => {
  const first = run(undefined, 0);
  assert.equal(first.looked.size, keys.length);
  const last = new Map(keys.map((key) => [key, 0]));
  let { after } = first;
  let most = 0;
  for (const on of [1, 2, 9, 16, 17, 30, 31, 38, 45, 46, 60, 67, 80, 90]) {
    const { looked, ...next } = run(after, on);
    after = next.after;
    for (const key of looked) last.set(key, on);
    const oldest = Math.min(...last.values());
    assert.ok(on - oldest < DAYS, `on day ${on}, one was looked at last on day ${oldest}`);
    if (on > 2) most = Math.max(most, looked.size / keys.length);
  }
  // Two weeks at once, and the sample.
  assert.ok(most < 0.6, `${most}`);
  const quiet = run(after, 90).looked.size / keys.length;
  assert.ok(quiet > 0 && quiet < 0.03, `the sample of one in a hundred was ${quiet}`);
});

test("what was stored or extended since, or was faulty, is looked at whatever its turn", () => {
  const { after } = run(undefined, 0);
  const common = { time: "2026-01-01T00:00:00.000Z", run: "r", subject: "0".repeat(32) };
  const extended = (index: number, key: string) => (turns: LockTurns) =>
    turns.note(index, {
      ...{ ...common, type: "lock.extended", lockedUntil: "2027-01-01T00:00:00Z", lockMode: "governance" },
      objects: [{ key, versionId: "1" }],
    } as Entry);
  const often = (of: () => boolean): boolean => Array.from({ length: 40 }, of).every(Boolean);
  assert.ok(often(() => run(after, 0, { note: extended(10, keys[0]!) }).looked.has(keys[0]!)));
  assert.ok(!often(() => run(after, 0, { note: extended(9, keys[0]!) }).looked.has(keys[0]!)));
  const turns = new LockTurns(after, day(0), ":memory:");
  turns.begin(MANY);
  assert.ok(often(() => turns.isDue({ key: "records/new", entry: 10 })));
  assert.ok(often(() => turns.isDue({ key: "files/of-a-purged-record", entry: null })));
  turns.noteFault(keys[7]!);
  const next = turns.after(10);
  turns.close();
  assert.ok(often(() => run(next, 0).looked.has(keys[7]!)));
});

test("too long ago, a clock that went back, or more faults than are remembered: the next run looks at everything", () => {
  const { after } = run(undefined, 10);
  for (const on of [10 + DAYS, 9]) assert.equal(run(after, on).looked.size, keys.length);
  const turns = new LockTurns(after, day(11), ":memory:");
  for (let n = 0; n < 20_000; n++) turns.noteFault(`records/${n}`);
  assert.equal(turns.after(10), undefined);
  turns.close();
});

test("of a small vault every object is looked at each time", () => {
  const { after } = run(undefined, 0);
  const turns = new LockTurns(after, day(0), ":memory:");
  turns.begin(1_000);
  assert.ok(keys.every((key) => turns.isDue({ key, entry: 0 })));
  turns.close();
});
