import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { CASES, type Hour } from "./hour.ts";

describe("an hour at a provider's own limits, on a simulated clock", { concurrency: 2 }, () => {
  for (const what of Object.keys(CASES)) {
    test(`${what}: at least 98 % of what is allowed, per endpoint, and never more`, async (t) => {
      const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "hour.ts"), what]);
      const { endpoints, above } = JSON.parse(stdout) as Hour;
      for (const { name, granted, refused, allowed } of endpoints)
        t.diagnostic(
          `${name}: ${granted} of ${allowed}, ${((100 * granted) / allowed).toFixed(2)} %, ${refused} refused`,
        );
      assert.deepEqual(above, []);
      for (const { name, granted, refused, allowed } of endpoints) {
        assert.ok(granted >= 0.98 * allowed, `${name}: ${granted} of ${allowed}`);
        assert.equal(refused, 0, name);
      }
    });
  }
});
