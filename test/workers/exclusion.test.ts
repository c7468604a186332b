import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Exclusion } from "../../src/workers/exclusion.ts";

/** One piece of work: how many turns of the event loop it takes, and whether it fails then. */
const piece = fc.record({ isAlone: fc.boolean(), turns: fc.nat(4), later: fc.nat(4), fails: fc.boolean() });

test("work that runs alone overlaps no other work, and all of it runs, whatever fails", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const jobs = new Exclusion();
      let [beside, alone] = [0, 0];
      const ran = pieces.map(async ({ isAlone, turns, later, fails }, n) => {
        await turnsOf(later);
        const work = async (): Promise<number> => {
          if (isAlone) alone += 1;
          else beside += 1;
          assert.ok(alone === 0 || alone + beside === 1);
          await turnsOf(turns);
          if (isAlone) alone -= 1;
          else beside -= 1;
          if (fails) throw new Error(`${n}`);
          return n;
        };
        return isAlone ? jobs.alone(work) : jobs.beside(work);
      });
      const ends = await Promise.allSettled(ran);
      assert.deepEqual(
        ends.map((end) => (end.status === "fulfilled" ? [end.value, false] : [Number(end.reason.message), true])),
        pieces.map(({ fails }, n) => [n, fails]),
      );
    }),
  );
});

test("other work runs at the same time", async () => {
  const jobs = new Exclusion();
  const both = Promise.withResolvers<void>();
  await Promise.all([jobs.beside(() => both.promise), jobs.beside(async () => both.resolve())]);
});

async function turnsOf(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
