import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import fc from "fast-check";
import { type ErrorCode, hasCode } from "../../src/core/error.ts";

/** HOLDFAST_FUZZ=20 makes every run 20 times as long. HOLDFAST_SEED=<n> repeats a run. */
const TIMES = Number(process.env.HOLDFAST_FUZZ ?? 1);
const seed = Number(process.env.HOLDFAST_SEED ?? Date.now() % 2 ** 31);
/** Much longer than any input here takes, on any machine. */
const MOST_MS = 60_000;

/** For any input, `read` must quickly return a value or throw a HoldfastError with one of these codes. */
export async function holds<T>(
  t: TestContext,
  runs: number,
  inputs: fc.Arbitrary<T>,
  read: (input: T) => unknown,
  ...codes: readonly ErrorCode[]
): Promise<void> {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(inputs, async (input) => {
      const begun = performance.now();
      try {
        await read(input);
      } catch (error) {
        assert.ok(hasCode(error, ...codes), String((error as Error)?.stack ?? error));
        refused += 1;
      }
      const took = performance.now() - begun;
      assert.ok(took < MOST_MS, `${took} ms`);
    }),
    { numRuns: runs * TIMES, seed },
  );
  t.diagnostic(`seed ${seed}: ${runs * TIMES} inputs, ${refused} refused`);
}
