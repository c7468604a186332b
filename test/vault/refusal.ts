import assert from "node:assert/strict";
import { type ErrorCode, HoldfastError } from "../../src/core/error.ts";

/** For `assert.rejects`: one of ours, with this code. The message is told where it is not, never compared. */
export function code(expected: ErrorCode): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof HoldfastError, String(error));
    assert.equal(error.code, expected, error.message);
    return true;
  };
}
