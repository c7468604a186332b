import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Alterations } from "./alter.ts";
import { findTargets, mutate, mutation } from "./mutation.ts";
import { NO_MEMORY, Reader } from "./reader.ts";
import { isOurs, makeScene } from "./scene.ts";

/** HOLDFAST_MUTATIONS=20000 for a long run; HOLDFAST_SEED=<n> to repeat one. */
const RUNS = Number(process.env.HOLDFAST_MUTATIONS ?? 150);
const seed = Number(process.env.HOLDFAST_SEED ?? Date.now() % 2 ** 31);
/** One verify takes some 30 ms here. */
const TOO_LONG = 60_000;

test("every random change that readers can see is reported, and none breaks the verifier", async (t) => {
  await using scene = await makeScene({}, 3);
  const reader = await Reader.of(scene);
  const targets = await findTargets(scene);
  const keys = new Set(targets.flat().map(({ key }) => key));
  const before = new Map(await Promise.all(Array.from(keys, async (key) => [key, await reader.see(key)] as const)));
  assert.equal((await scene.verify()).exit, 0);
  const counts = { changes: 0, altering: 0, found: 0, harmless: 0 };

  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
      await using alter = new Alterations();
      const touched = new Set<string>();
      for (const each of mutations) {
        for (const key of await mutate(targets, each, alter)) touched.add(key);
        counts.changes += 1;
      }
      const altered: string[] = [];
      for (const key of touched) {
        const seen = await reader.see(key);
        // Without this machine's memory, an older checkpoint is valid, and one whose old metadata moved is unchanged.
        if (seen !== before.get(key) && seen !== NO_MEMORY) altered.push(key);
      }
      const { exit, named, thrown } = await inTime(scene.verify());
      assert.ok(thrown === undefined || isOurs(thrown), String((thrown as Error)?.stack));
      if (altered.length === 0) {
        assert.ok(exit === 0 || exit === 4, `exit ${exit}: ${named}`);
        counts.harmless += 1;
        return;
      }
      counts.altering += 1;
      assert.equal(exit, 4, `unnoticed: ${altered}`);
      counts.found += 1;
      // If another of the changes ended it early, the rest was not reported.
      const told = thrown ? [...touched, "checkpoint"] : altered;
      assert.ok(
        told.some((key) => named.some((name) => name.includes(key))),
        `${altered} is not named in ${named}`,
      );
    }),
    { numRuns: RUNS, seed, endOnFailure: true },
  );
  assert.equal((await scene.verify()).exit, 0);
  t.diagnostic(`seed ${seed}: ${RUNS} runs, ${counts.changes} changes; ${JSON.stringify(counts)}`);
});

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("verify hangs")), TOO_LONG);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
