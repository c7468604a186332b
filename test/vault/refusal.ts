import assert from "node:assert/strict";
import { type ErrorCode, HoldfastError } from "../../src/core/error.ts";

/** For `assert.rejects`: a HoldfastError with this code. Shows the message on failure but never compares it. */
export function code(expected: ErrorCode): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof HoldfastError, String(error));
    assert.equal(error.code, expected, error.message);
    return true;
  };
}
