import { hasCode } from "../../src/core/error.ts";

/** For assert.throws and assert.rejects: the error is a HoldfastError with this code. */
export const malformed = (error: unknown): boolean => hasCode(error, "malformed");
export const unverified = (error: unknown): boolean => hasCode(error, "unverified");

/** Runs code on hostile input. It may throw `malformed` or `unverified` and nothing else. */
export function mayRefuse<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (hasCode(error, "malformed", "unverified")) return undefined;
    throw error;
  }
}
