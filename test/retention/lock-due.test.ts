import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RetentionConfig } from "../../src/config/config.ts";
import { recordUntil } from "../../src/retention/keep.ts";
import { dueLock } from "../../src/retention/lock-due.ts";

const NOW = Temporal.Instant.from("2026-11-24T02:30:00Z");
const days = (count: number): Temporal.Duration => Temporal.Duration.from({ days: count });
const at = (count: number): Temporal.Instant => NOW.add({ hours: 24 * count });

const clock = fc.record({
  keep: fc.integer({ min: 1, max: 3_000 }).map(days),
  from: fc.constantFrom(
    "created" as const,
    "exported" as const,
    "relationship-end" as const,
    "account-closed" as const,
  ),
});
const policy: fc.Arbitrary<RetentionConfig> = fc
  .record({
    ...{ identifying: clock, verification: clock, files: clock },
    initialLock: fc.integer({ min: 2, max: 400 }),
    left: fc.integer({ min: 1, max: 399 }),
    minimum: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
    maximum: fc.option(fc.integer({ min: 400, max: 5_000 }), { nil: undefined }),
    coolingOff: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
  })
  .map(({ identifying, verification, files, initialLock, left, minimum, maximum, coolingOff }) => ({
    ...{ preset: undefined, classes: { identifying, verification, files } },
    ...{ initialLock: days(initialLock), extendWhenLessThan: days(Math.min(left, initialLock - 1)) },
    ...{
      minimum: minimum === undefined ? undefined : days(minimum),
      maximum: maximum === undefined ? undefined : days(maximum),
    },
    coolingOff: coolingOff === undefined ? undefined : days(coolingOff),
  }));
const past = fc.integer({ min: 0, max: 4_000 }).map((count) => at(-count));
const mode = fc.constantFrom("governance" as const, "compliance" as const);

test("a lock is never shortened or weakened, never lasts beyond the law or the maximum, and is set when due", () => {
  fc.assert(
    fc.property(
      ...[policy, past, past, fc.integer({ min: -400, max: 400 }), mode, mode],
      fc.option(fc.integer({ min: 0, max: 4_000 }), { nil: undefined }),
      (retention, updated, stored, lock, present, wanted, ended) => {
        const day = ended === undefined ? undefined : at(-ended).toZonedDateTimeISO("UTC").toPlainDate().toString();
        const until = recordUntil(retention, { updated: String(updated), stored: String(stored) }, day);
        const is = at(lock);
        const term = {
          ...{ kind: "record" as const, key: "k", versionId: "1", size: 1, sha256: "", stored: String(stored), until },
          ...{ lockedUntil: String(is), lockMode: present },
        };
        const due = dueLock({ retention, mode: wanted }, term, day !== undefined, NOW);
        if (until !== undefined && Temporal.Instant.compare(until, NOW) <= 0) {
          assert.equal(due, undefined);
          return;
        }
        const soon = NOW.toZonedDateTimeISO("UTC").add(retention.extendWhenLessThan).toInstant();
        const isLate =
          Temporal.Instant.compare(is, soon) < 0 && (until === undefined || Temporal.Instant.compare(is, until) < 0);
        if (due === undefined) {
          assert.ok(!isLate, "a lock that ends soon is left");
          return;
        }
        assert.ok(Temporal.Instant.compare(due.lock.until, is) >= 0, "shortened");
        assert.ok(present !== "compliance" || due.lock.mode === "compliance", "weakened");
        if (Temporal.Instant.compare(due.lock.until, is) === 0) {
          assert.ok(due.harden, "set again for nothing");
          return;
        }
        if (until) assert.ok(due.lock.until.epochMilliseconds - until.epochMilliseconds < 1_000, "beyond the law");
        const most = retention.maximum && NOW.toZonedDateTimeISO("UTC").add(retention.maximum).toInstant();
        if (most)
          assert.ok(Temporal.Instant.compare(due.lock.until, most.add({ seconds: 1 })) <= 0, "beyond the bound");
        if (day !== undefined && until && (!most || Temporal.Instant.compare(until, most) <= 0))
          assert.ok(Temporal.Instant.compare(due.lock.until, until) >= 0, "not to the final date");
      },
    ),
    { numRuns: 2_000 },
  );
});
