import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fingerprints } from "../../src/source/fingerprints.ts";

test("a text is new once, among any others", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string({ maxLength: 2 }), fc.nat(500).map(String)), { maxLength: 600 }),
      (texts) => {
        const [fingerprints, expected] = [new Fingerprints(), new Set<string>()];
        for (const text of texts) {
          assert.equal(fingerprints.add(text), !expected.has(text));
          expected.add(text);
        }
      },
    ),
  );
});

test("a hundred thousand take less than 5 MB", () => {
  const fingerprints = new Fingerprints();
  const before = process.memoryUsage().arrayBuffers;
  for (let n = 0; n < 100_000; n++) assert.ok(fingerprints.add(`after:${n}`));
  for (let n = 0; n < 100_000; n += 997) assert.ok(!fingerprints.add(`after:${n}`));
  // Those that became too small may not be freed yet.
  assert.ok(process.memoryUsage().arrayBuffers - before < 5_000_000);
});
