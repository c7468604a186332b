import assert from "node:assert/strict";
import { test } from "node:test";
import { s3Error } from "../../src/vault/s3-errors.ts";

test("the name of an error that the store sends is cut to 100 characters", () => {
  for (const httpStatusCode of [400, 403, 503]) {
    const sent = Object.assign(new Error("no"), { name: "x".repeat(5_000), $metadata: { httpStatusCode } });
    assert.match(s3Error(sent, "GET log").message, /\(x{100}…\)$/);
  }
});
