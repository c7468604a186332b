/** Random people and laws, near the dates at which something is due. */
import fc from "fast-check";
import type { Keep } from "../../src/config/config.ts";
import { fileKey, recordKey } from "../../src/vault/layout.ts";

export const SUBJECTS = ["00", "0f", "a1", "b7", "ff"].map((start) => start.padEnd(32, "0"));
export const VERSIONS = [
  "20260101T101500Z-0123456789ab",
  "20280229T101500Z-ffffffffffff",
  "20310131T000000Z-000000000000",
];
export const NAMES = ["00", "7f"].map((start) => start.padEnd(32, "e"));
export const run = "20261123T101500Z-abcdef";

/** Near the ends of months and of a leap year, whose days and periods differ most. */
export const time = fc
  .record({
    year: fc.integer({ min: 2026, max: 2034 }),
    month: fc.constantFrom("01", "02", "03", "12"),
    day: fc.constantFrom("01", "28"),
    hour: fc.constantFrom("00", "10", "13", "23"),
  })
  .map(({ year, month, day, hour }) => `${year}-${month}-${day}T${hour}:30:00Z`);
export const common = { time, run: fc.constant(run), subject: fc.constantFrom(...SUBJECTS) };
const digest = { versionId: fc.constant("v1"), size: fc.constant(1), sha256: fc.constant("ab".repeat(32)) };
const stored = fc
  .record({ ...common, version: fc.constantFrom(...VERSIONS), updated: time, names: fc.subarray(NAMES) })
  .chain(({ names, ...of }) =>
    fc.record({
      ...Object.fromEntries(Object.entries(of).map(([name, value]) => [name, fc.constant(value)])),
      type: fc.constant("record.stored"),
      ...{ lockedUntil: time, lockMode: fc.constantFrom("governance", "compliance"), withheld: fc.constant(0) },
      ...{ recipients: fc.constant([]), lookups: fc.constant({}) },
      object: fc.record({ key: fc.constant(recordKey(of.subject, of.version)), ...digest }),
      files: fc.tuple(
        ...names.map((name) =>
          fc.record({
            ...{ key: fc.constant(fileKey(of.subject, name)), ...digest, lockedUntil: time },
            ...{ type: fc.constant("selfie"), mediaType: fc.constant("image/png") },
          }),
        ),
      ),
    }),
  );
const ended = fc.record({
  type: fc.constant("relationship.ended"),
  ...common,
  ended: time.map((at) => at.slice(0, 10)),
});
const reopened = fc.record({ type: fc.constant("relationship.reopened"), ...common });
/** Also of a record whose files stay, as a purge that was killed leaves it. */
const purged = fc.record({ ...common, version: fc.constantFrom(...VERSIONS) }).map(({ version, ...of }) => ({
  ...{ type: "record.purged", ...of, whole: false },
  objects: [
    {
      key: recordKey(of.subject, version),
      versionId: "v1",
      size: 1,
      sha256: "ab".repeat(32),
      versions: 1,
      due: of.time,
    },
  ],
}));
export const entries = fc.array(
  fc.oneof({ arbitrary: stored, weight: 5 }, { arbitrary: ended, weight: 2 }, reopened, purged),
  {
    minLength: 1,
    maxLength: 20,
  },
);

const keep: fc.Arbitrary<Keep> = fc.record({
  keep: fc
    .constantFrom("P1M", "P18M", "P1Y", "P1Y1M1DT30H", "P5Y", "P1827D", "P260W", "PT36H")
    .map((text) => Temporal.Duration.from(text)),
  from: fc.constantFrom("relationship-end", "account-closed", "created", "exported"),
});
export const law = fc.record({
  classes: fc.record({ identifying: keep, verification: keep, files: keep }),
  timezone: fc.constantFrom(undefined, "Europe/Berlin", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu"),
  minimum: fc.constantFrom(undefined, Temporal.Duration.from("P18M")),
});
