import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../src/audit/entry.ts";
import { Catalog } from "../../src/catalog/catalog.ts";
import type { RetentionConfig } from "../../src/config/config.ts";
import { dueLock, type LockPolicy } from "../../src/retention/lock-due.ts";
import { noteTermsOf } from "../../src/retention/notes.ts";
import { termsOf } from "../../src/retention/terms.ts";
import { fileKey, noteKey, recordKey } from "../../src/vault/layout.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { auditPolicy } from "../../src/verify/policy-audit.ts";
import { common, entries, law, NAMES, time, VERSIONS } from "../retention/random-log.ts";

const same = { versionId: "v1", size: 1, sha256: "ab".repeat(32) };
const mode = fc.constantFrom("governance", "compliance");
const commitment = fc.constant("cd".repeat(32));
const of = <T extends object>(type: string, more: T = {} as T) =>
  fc.record({ type: fc.constant(type), ...common, ...more });
const keysOf = (subject: string): string[] => [
  ...VERSIONS.map((version) => recordKey(subject, version)),
  ...NAMES.map((name) => fileKey(subject, name)),
];
const further = fc.oneof(
  of("hold.placed", { case: fc.constant("01".repeat(16)), commitment, objects: fc.constant([]) }),
  of("hold.released", { case: fc.constant("01".repeat(16)), commitment }),
  of("lock.extended", { lockedUntil: time, lockMode: mode }).map((entry) => ({
    ...entry,
    objects: keysOf(entry.subject).map((key) => ({ key, versionId: "v1" })),
  })),
  of("purge.begun").map((entry) => ({ ...entry, keys: keysOf(entry.subject).slice(0, 1) })),
  of("note.stored", { commitment, lockedUntil: time, lockMode: mode }).map((entry) => ({
    ...entry,
    note: { key: noteKey(entry.subject, "0".repeat(32)), ...same },
  })),
);
/** What others log comes anywhere between. */
const log = fc
  .tuple(entries, fc.array(fc.tuple(fc.nat(20), further), { maxLength: 8 }))
  .map(([all, more]) => more.reduce<unknown[]>((mixed, [at, entry]) => mixed.toSpliced(at, 0, entry), all));
const policy = fc
  .record({
    law,
    mode,
    coolingOff: fc.constantFrom(undefined, "P30D", "P400D"),
    maximum: fc.constantFrom(undefined, "P1Y"),
  })
  .map(({ law: classes, mode: final, coolingOff, maximum }) => {
    const duration = (text: string | undefined) => text && Temporal.Duration.from(text);
    const [initialLock, extendWhenLessThan] = [duration("P90D"), duration("P30D")];
    const more = { initialLock, extendWhenLessThan, coolingOff: duration(coolingOff), maximum: duration(maximum) };
    return { mode: final, retention: { ...classes, ...more } as unknown as RetentionConfig } as LockPolicy;
  });

/** No object is held in the store. */
const vault = { head: async () => ({ hold: false }) } as unknown as Vault;

/** What the audit must tell, as asked of everyone, one by one. */
function everyone(index: Catalog, policy: LockPolicy, at: Temporal.Instant) {
  const found = { due: 0, past: 0, held: 0, unlocked: [] as string[], unheld: [] as string[] };
  for (const { subject } of index.subjects.all()) {
    const hasEnded = index.relationships.ended(subject) !== undefined;
    const isHeld = index.holds.of(subject).length > 0;
    if (isHeld) found.held += 1;
    const terms = termsOf(index, policy.retention, subject);
    for (const term of [...terms, ...noteTermsOf(index, subject, terms)]) {
      const { kind, key, until, lockedUntil } = term;
      if (index.purges.stateOf(key) === "begun") continue;
      if (isHeld && kind !== "note") found.unheld.push(key);
      const isPast = until !== undefined && Temporal.Instant.compare(until, at) <= 0;
      if (isPast && kind !== "note") found.past += 1;
      if (!isPast && dueLock(policy, term, hasEnded, at)) found.due += 1;
      if (!isPast && Temporal.Instant.compare(Temporal.Instant.from(lockedUntil), at) <= 0) found.unlocked.push(key);
    }
  }
  return { ...found, unlocked: found.unlocked.sort(), unheld: found.unheld.sort() };
}

test("the policy's audit tells what is due, past, held or unlocked of anyone, though it looks at few", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-audit-"));
  let count = 0;
  const seen = { due: 0, past: 0, held: 0, unlocked: 0 };
  try {
    await fc.assert(
      fc.asyncProperty(log, policy, time, async (happened, rules, moment) => {
        const index = Catalog.unindexed(join(folder, `${count++}`), "origin");
        index.applyKnown(happened.map((entry, at) => ({ index: at, entry: entry as Entry })));
        const now = Temporal.Instant.from(moment);
        const [unlocked, unheld]: [string[], string[]] = [[], []];
        const { due, past, held } = await auditPolicy(
          { vault, index, policy: rules, now: () => now, check: (work) => work() },
          { problem: ({ key }) => unheld.push(key), unlocked: ({ key }) => unlocked.push(key) },
        );
        const right = everyone(index, rules, now);
        assert.deepEqual({ due, past, held, unlocked: unlocked.sort(), unheld: unheld.sort() }, right);
        seen.due += due;
        seen.past += past;
        seen.held += held;
        seen.unlocked += unlocked.length;
        index.close();
      }),
      { numRuns: 400 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const [what, times] of Object.entries(seen)) assert.ok(times > 50, `only ${times} were ${what}`);
});
