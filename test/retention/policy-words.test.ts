import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Keep, RetentionConfig } from "../../src/config/config.ts";
import { PRESET_NAMES } from "../../src/config/presets.ts";
import { hasCode } from "../../src/core/error.ts";
import { parsePolicy, policyOf } from "../../src/retention/policy.ts";

const part = (most: number) => fc.integer({ min: 0, max: most });
const duration = fc
  .record({ years: part(50), months: part(11), weeks: part(3), days: part(30), hours: part(23), seconds: part(59) })
  .map((parts) => Temporal.Duration.from(parts))
  .filter(({ sign }) => sign > 0);
const from = fc.constantFrom<Keep["from"]>("created", "exported", "relationship-end", "account-closed");
const keep = fc.record({ keep: duration, from });
const maybe = fc.option(duration, { nil: undefined });
const retention: fc.Arbitrary<RetentionConfig> = fc.record({
  preset: fc.option(fc.constantFrom(...PRESET_NAMES), { nil: undefined }),
  classes: fc.record({ identifying: keep, verification: keep, files: keep }),
  ...{ initialLock: duration, extendWhenLessThan: duration, minimum: maybe, maximum: maybe, coolingOff: maybe },
  timezone: fc.option(fc.constantFrom("UTC", "Europe/Berlin", "Pacific/Kiritimati"), { nil: undefined }),
});

const inWords = (config: RetentionConfig): unknown => JSON.parse(JSON.stringify(config));

test("rules read from the log are those that were written", () => {
  fc.assert(
    fc.property(retention, fc.constantFrom("governance", "compliance", undefined), (config, lock) => {
      assert.deepEqual(inWords(parsePolicy(policyOf(config, lock))), inWords(config));
    }),
  );
});

test("words of a later version are ignored; invalid rules are refused", () => {
  const words = {
    ...{ identifying: "P5Y from relationship-end", verification: "P5Y from exported", files: "P5Y from created" },
    ...{ initialLock: "P90D", extendWhenLessThan: "P30D" },
  };
  assert.deepEqual(inWords(parsePolicy({ ...words, later: "P1D" })), inWords(parsePolicy(words)));
  const bad: readonly [name: string, word: string | undefined][] = [
    ["identifying", undefined],
    ["identifying", "P5Y"],
    ["verification", "P5Y from whenever"],
    ["files", "-P5Y from created"],
    ["files", "P101Y from created"],
    ["initialLock", undefined],
    ["initialLock", "PT0S"],
    ["minimum", "soon"],
    ["timezone", "Europe/Atlantis"],
  ];
  for (const [name, word] of bad) {
    const { [name]: _, ...rest } = words as Record<string, string>;
    assert.throws(
      () => parsePolicy(word === undefined ? rest : { ...rest, [name]: word }),
      (error) => hasCode(error, "malformed"),
    );
  }
});
