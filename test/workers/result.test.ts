import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { RecordStored, Unlogged } from "../../src/audit/entry.ts";
import type { ClientConfig } from "../../src/config/config.ts";
import { Secret } from "../../src/config/secret.ts";
import { HoldfastError } from "../../src/core/error.ts";
import type { Capture } from "../../src/export/capture.ts";
import { Box } from "../../src/seal/secretbox.ts";
import { fileKey, recordKey } from "../../src/vault/layout.ts";
import { type AskedIdentity, failureOf, isStale, refuseUnfit, resultSchema } from "../../src/workers/result.ts";
import { jobId, Messages, type Task } from "../../src/workers/task.ts";
import { anyCharacter } from "../fuzz/character.ts";

const SUBJECT = "ab".repeat(16);
const HEX = "0123456789abcdef".repeat(4);
const NOW = Temporal.Instant.from("2026-11-28T12:00:00Z");
const LISTED = "20261101T000000Z-aaaaaaaaaaaa";
const VERSION = "20261101T000000Z-bbbbbbbbbbbb";
const FORMER = "20250101T000000Z-cccccccccccc";
const duration = (text: string) => Temporal.Duration.from(text);
const clock = { keep: duration("P5Y"), from: "relationship-end" } as const;
const config = {
  collect: "full",
  vault: { lock: "governance" },
  recipients: { fingerprints: ["1111111111111111", "2222222222222222"] },
  lookups: { fields: ["email", "document.number"] },
  retention: {
    classes: { identifying: clock, verification: clock, files: clock },
    ...{ initialLock: duration("P90D"), extendWhenLessThan: duration("P30D") },
  },
} as unknown as ClientConfig;
const LOCK = "2027-02-26T12:00:00Z";
const object = (key: string) => ({ key, versionId: "v1", size: 4000, sha256: HEX });
const kept = { ...object(fileKey(SUBJECT, "c".repeat(32))), type: "face_video", mediaType: "video/mp4" };
const keptFile = { ...kept, lockedUntil: LOCK, storedWith: FORMER };
const nothing: Task["kept"] = { versions: [], purged: [], files: [], purgedFiles: [], hadContent: false };
const known = {
  version: FORMER,
  listed: FORMER,
  gone: null,
  withheld: 0,
  entry: 3,
  missed: 0,
  project: null,
  content: null,
  base: null,
  glance: null,
  located: 0,
};
const something: Task["kept"] = { ...nothing, known, versions: [FORMER], files: [keptFile], hadContent: true };

function asked(changes: Partial<AskedIdentity> = {}): AskedIdentity {
  return {
    candidate: { id: "id-1", subject: SUBJECT, listed: LISTED, way: "list" },
    kept: nothing,
    config,
    now: NOW,
    ...changes,
  };
}

function entryOf(changes: Partial<RecordStored> = {}): Unlogged<RecordStored> {
  return {
    ...{ type: "record.stored", subject: SUBJECT, version: VERSION, updated: "2026-11-01T00:00:00Z" },
    object: object(recordKey(SUBJECT, VERSION)),
    files: [
      {
        ...object(fileKey(SUBJECT, "f".repeat(32))),
        type: "document_image",
        mediaType: "image/png",
        lockedUntil: LOCK,
      },
    ],
    ...{ withheld: 0, recipients: [...config.recipients.fingerprints], lockedUntil: LOCK, lockMode: "governance" },
    listed: LISTED,
    lookups: { email: "e".repeat(32) },
    ...changes,
  };
}

function stored(changes: Partial<RecordStored> = {}, kind: "new" | "changed" | "again" = "new"): Capture {
  const entry = entryOf(changes);
  const fresh = entry.files.filter(({ storedWith }) => storedWith === undefined);
  const bytes = [entry.object, ...fresh].reduce((sum, { size }) => sum + size, 0);
  return { kind, entry, files: fresh.length, bytes, withheld: entry.withheld, gaps: [] };
}

const refuses = (capture: Capture, of: AskedIdentity, why: RegExp) =>
  assert.throws(
    () => refuseUnfit(capture, of),
    (error) => error instanceof HoldfastError && error.code === "malformed" && why.test(error.message),
  );
const isForm = (capture: unknown): boolean => resultSchema.safeParse({ terms: {}, capture }).success;

describe("a result that matches its task", () => {
  test("of a new, a changed, an unchanged and a deleted identity", () => {
    refuseUnfit(stored(), asked());
    refuseUnfit(stored({ files: [keptFile] }, "changed"), asked({ kept: something }));
    refuseUnfit({ kind: "unchanged", listed: LISTED }, asked({ kept: something }));
    refuseUnfit({ kind: "gone", entry: { type: "record.gone", subject: SUBJECT, reason: "deleted" } }, asked());
    const entry = {
      type: "record.gone",
      subject: SUBJECT,
      reason: "redacted",
      redacted: LISTED,
      kept: FORMER,
    } as const;
    refuseUnfit({ kind: "gone", entry }, asked({ kept: something }));
    refuseUnfit({ kind: "gone" }, asked({ kept: { ...something, known: { ...known, gone: "deleted" } } }));
    for (const capture of [stored(), { kind: "unchanged" }, { kind: "gone", entry }]) assert.ok(isForm(capture));
  });

  test("recipients in another order, and many lookups of one field", () => {
    const lookups = Object.fromEntries(
      Array.from({ length: 12 }, (_, n) => [`document.number${n === 0 ? "" : `/${n + 1}`}`, "d".repeat(32)]),
    );
    refuseUnfit(stored({ recipients: config.recipients.fingerprints.toReversed(), lookups }), asked());
  });

  test("a lock may differ by a day from one set now; an older one is outdated", () => {
    const at = (change: Temporal.DurationLike) => Temporal.Instant.from(LOCK).add(change).toString();
    const locked = (lockedUntil: string) => stored({ files: [], lockedUntil });
    refuseUnfit(locked(at({ hours: 24 })), asked());
    refuses(locked(at({ hours: 24, seconds: 1 })), asked(), /the lock/);
    for (const [seconds, stale] of [
      [0, false],
      [1, true],
    ] as const) {
      const old = locked(at({ hours: -24, seconds: -seconds }));
      refuseUnfit(old, asked());
      assert.equal(isStale(old, asked()), stale);
    }
    refuses(locked(LOCK.replace("Z", ".5Z")), asked(), /the lock/);
    refuses(stored({ lockMode: "compliance" }), asked(), /the lock/);
    const { lockMode: _, ...without } = entryOf();
    refuses({ ...stored(), entry: without } as Capture, asked(), /the lock/);
  });

  test("a policy with a fixed end limits the lock", () => {
    const short = { keep: duration("P30D"), from: "exported" } as const;
    const retention = { ...config.retention, classes: { identifying: short, verification: short, files: short } };
    refuses(stored(), asked({ config: { ...config, retention } as ClientConfig }), /the lock/);
  });
});

describe("a result that does not match", () => {
  const other = "cd".repeat(16);
  const file = entryOf().files[0]!;
  const cases: readonly (readonly [string, Capture, RegExp, Partial<AskedIdentity>?])[] = [
    ["new, for an identity that is kept", stored(), /new, changed/, { kept: something }],
    ["changed, for an identity that is not kept", stored({}, "changed"), /new, changed/],
    ["again, without being asked", stored({}, "again"), /new, changed/],
    ["another subject", stored({ subject: other, object: object(recordKey(other, VERSION)), files: [] }), /subject/],
    [
      "a version that is kept",
      stored({ version: FORMER, object: object(recordKey(SUBJECT, FORMER)) }, "changed"),
      /version/,
      { kept: something },
    ],
    ["a version that was purged", stored(), /version/, { kept: { ...nothing, purged: [VERSION] } }],
    ["a version of another time", stored({ updated: "2026-11-02T00:00:00Z" }), /time of the version/],
    ["an invalid time", stored({ updated: "2026-99-99T00:00:00Z" }), /time of the version/],
    ["no recipients", stored({ recipients: [] }), /recipients/],
    ["other recipients", stored({ recipients: ["1111111111111111", "3333333333333333"] }), /recipients/],
    ["one recipient twice", stored({ recipients: ["1111111111111111", "1111111111111111"] }), /recipients/],
    ["more files elsewhere", stored({ moreFiles: 1 }), /more files/],
    ["a lookup that is not configured", stored({ lookups: { "metadata.customer_id": HEX.slice(32) } }), /lookups/],
    ["a first lookup by number", stored({ lookups: { email: HEX.slice(32), "email/1": HEX.slice(32) } }), /lookups/],
    ["lookups with a gap", stored({ lookups: { email: HEX.slice(32), "email/3": HEX.slice(32) } }), /lookups/],
    ["an empty object", stored({ object: { ...object(recordKey(SUBJECT, VERSION)), size: 199 } }), /size/],
    [
      "an object too large for any store",
      stored({ object: { ...object(recordKey(SUBJECT, VERSION)), size: 5 * 1024 ** 4 + 1 } }),
      /size/,
    ],
    ["a file listed twice", stored({ files: [file, file] }), /twice/],
    [
      "a file with a different lock",
      stored({ files: [{ ...file, lockedUntil: "2026-12-01T00:00:00Z" }] }),
      /lock of a file/,
    ],
    [
      "a kept file as a new one",
      stored({ files: [{ ...file, key: keptFile.key }] }, "changed"),
      /not new/,
      { kept: something },
    ],
    [
      "a file that was purged",
      stored({ files: [{ ...file }] }),
      /not new/,
      { kept: { ...nothing, purgedFiles: [file.key] } },
    ],
    ["a file that is not kept", stored({ files: [keptFile] }), /not kept/],
    [
      "a kept file in another version",
      stored({ files: [{ ...keptFile, versionId: "v2" }] }, "changed"),
      /kept file/,
      { kept: something },
    ],
    [
      "a kept file of another time",
      stored({ files: [{ ...keptFile, lockedUntil: "2099-01-01T00:00:00Z" }] }, "changed"),
      /kept file/,
      { kept: something },
    ],
    ["files of a minimal record", stored(), /minimal/, { config: { ...config, collect: "minimal" } as ClientConfig }],
    ["bytes that were not stored", { ...stored(), bytes: 1 } as Capture, /bytes/],
    ["more files than there are", { ...stored(), files: 2 } as Capture, /files/],
    ["another count of withheld files", { ...stored(), withheld: 1 } as Capture, /files/],
    ["another version than listed", stored({ listed: VERSION }), /list/],
    ["a source of its own choice", stored({ source: "other" }), /source/],
    ["a provider id of its own choice", stored({ handle: "h".repeat(40) }), /source/],
    ["unchanged, but nothing is kept", { kind: "unchanged" }, /nothing is kept/],
    ["unchanged, with another listed version", { kind: "unchanged", listed: FORMER }, /list/, { kept: something }],
    ["past, but no period has ended", { kind: "past", listed: LISTED }, /past/, { kept: something }],
    ["gone without an entry, for someone who was not gone", { kind: "gone" }, /gone/, { kept: something }],
    [
      "gone, of another subject",
      { kind: "gone", entry: { type: "record.gone", subject: other, reason: "deleted" } },
      /gone/,
    ],
    [
      "gone, with another kept version",
      { kind: "gone", entry: { type: "record.gone", subject: SUBJECT, reason: "deleted", kept: VERSION } },
      /gone/,
      { kept: something },
    ],
    [
      "gone from the list, which workers do not see",
      { kind: "gone", entry: { type: "record.gone", subject: SUBJECT, reason: "unlisted", kept: FORMER } },
      /why/,
      { kept: something },
    ],
    [
      "redacted to nothing",
      { kind: "gone", entry: { type: "record.gone", subject: SUBJECT, reason: "redacted", kept: FORMER } },
      /why/,
      { kept: something },
    ],
    [
      "redacted to another version than listed",
      {
        kind: "gone",
        entry: { type: "record.gone", subject: SUBJECT, reason: "redacted", redacted: VERSION, kept: FORMER },
      },
      /redacted version/,
      { kept: something },
    ],
    [
      "redacted, but without personal data before",
      { kind: "gone", entry: { type: "record.gone", subject: SUBJECT, reason: "redacted", redacted: LISTED } },
      /redacted version/,
    ],
  ];
  for (const [name, capture, why, changes] of cases) test(name, () => refuses(capture, asked(changes), why));

  test("a version past its retention period", () => {
    const clock = { keep: duration("P5Y"), from: "created" } as const;
    const retention = { ...config.retention, classes: { identifying: clock, verification: clock, files: clock } };
    const version = "20200101T000000Z-bbbbbbbbbbbb";
    const old = { version, updated: "2020-01-01T00:00:00Z", object: object(recordKey(SUBJECT, version)) };
    refuses(stored(old), asked({ config: { ...config, retention } as ClientConfig }), /retention period/);
  });
});

describe("the form of a result", () => {
  test("no unknown members at any depth, and no time or run", () => {
    const entry = entryOf();
    for (const hostile of [
      { ...stored(), extra: 1 },
      { ...stored(), entry: { ...entry, time: "2026-11-28T12:00:00.000Z" } },
      { ...stored(), entry: { ...entry, run: "another" } },
      { ...stored(), entry: { ...entry, extra: 1 } },
      { ...stored(), entry: { ...entry, object: { ...entry.object, extra: 1 } } },
      { ...stored(), entry: { ...entry, files: [{ ...entry.files[0], extra: 1 }] } },
      JSON.parse(JSON.stringify(stored()).replace('"type":"record.stored"', '"type":"record.stored","__proto__":{}')),
    ])
      assert.ok(!isForm(hostile), JSON.stringify(hostile));
  });

  test("only the entry of its kind", () => {
    const ended = { type: "relationship.ended", subject: SUBJECT, ended: "2000-01-01" };
    const gone = { type: "record.gone", subject: SUBJECT, reason: "deleted" };
    for (const kind of ["new", "changed", "again", "unchanged", "past", "gone"]) {
      for (const entry of [ended, kind === "gone" ? entryOf() : gone])
        assert.ok(!isForm({ ...stored(), kind, entry }), kind);
      assert.ok(!isForm({ kind, entry: ended }), kind);
    }
    assert.ok(!isForm({ kind: "unchanged", entry: entryOf() }));
    assert.ok(!isForm({ kind: "purged" }));
  });

  test("only known terms, whole counts and versions", () => {
    const file = entryOf().files[0]!;
    for (const capture of [
      stored({ files: [{ ...file, type: "Eve Example, born 1980" }] }),
      stored({ files: [{ ...file, mediaType: "image/png; name=Eve" }] }),
      stored({ files: [{ ...file, sha256: "ab" }] }),
      stored({ files: [{ ...file, key: "files/../../etc/passwd" }] }),
      stored({ lookups: { email: "ann@example.org" } }),
      stored({ lockedUntil: "2027-99-99T00:00:00Z" }),
      stored({ object: { ...object(recordKey(SUBJECT, VERSION)), versionId: "v".repeat(1025) } }),
      { ...stored(), bytes: 1.5 },
      { ...stored(), files: -1 },
      { ...stored(), withheld: 2 ** 53 },
      { ...stored(), listed: "../../x" },
      { kind: "unchanged", listed: "Eve" },
    ])
      assert.ok(!isForm(capture), JSON.stringify(capture));
  });

  test("failures only with codes that an identity can cause, and one line of limited text", () => {
    const isFailure = (failure: unknown) => resultSchema.safeParse({ terms: {}, failure }).success;
    assert.ok(isFailure({ code: "source-response", message: "the answer is not JSON" }));
    assert.ok(isFailure({ code: "source-response", message: "m".repeat(500), hint: "m".repeat(500) }));
    for (const failure of [
      ...["vault-denied", "busy", "state", "forked", "source-key", "nonsense", ""].map((code) => ({
        code,
        message: "",
      })),
      { code: "source-response", message: "m".repeat(501) },
      { code: "source-response", message: "", hint: "m".repeat(501) },
      { code: "source-response", message: "\u001b[8mall is well" },
      { code: "source-response", message: "one line\nand another" },
      { code: "source-response", message: "\u202egnihton" },
      { code: "source-response", message: "", extra: 1 },
    ])
      assert.ok(!isFailure(failure), JSON.stringify(failure));
    // A worker's failure for any of our errors is valid or undefined.
    fc.assert(
      fc.property(
        fc.string({ unit: anyCharacter, maxLength: 2000 }),
        fc.option(fc.string({ unit: anyCharacter })),
        (message, hint) => {
          const failure = failureOf(new HoldfastError("source-response", message, hint === null ? {} : { hint }));
          assert.ok(isFailure(JSON.parse(JSON.stringify(failure))), JSON.stringify(failure));
        },
      ),
    );
    assert.equal(failureOf(new HoldfastError("vault-denied", "no right")), undefined);
    assert.ok(isFailure(failureOf(new TypeError("x is not a function"))));
  });

  test("nothing written into Redis causes more than one identity's failure", () => {
    const messages = new Messages(new Box(new Secret(HEX), "backfill workers"));
    const box = new Box(new Secret(HEX), "backfill workers");
    const job = jobId({ subject: SUBJECT, listed: LISTED });
    const code = (work: () => unknown): string => {
      try {
        work();
      } catch (error) {
        return error instanceof HoldfastError ? error.code : String(error);
      }
      return "none";
    };
    for (const closed of [
      null,
      undefined,
      7,
      {},
      "",
      "=",
      randomBytes(40).toString("base64url"),
      "A".repeat(33 * 1024 * 1024),
    ])
      for (const open of [() => messages.openResult(job, closed), () => messages.openTask(job, closed)])
        assert.match(code(open), /^(malformed|unverified)$/);
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        assert.match(
          code(() => messages.openResult(job, box.close(text, `result ${job}`))),
          /^malformed$/,
        );
        assert.match(
          code(() => messages.openTask(job, box.close(text, `task ${job}`))),
          /^malformed$/,
        );
      }),
    );
    const result = messages.closeResult(job, { terms: {}, capture: stored() });
    assert.equal(
      code(() => messages.openResult(job, result)),
      "none",
    );
    assert.equal(
      code(() => messages.openResult(jobId({ subject: SUBJECT, listed: VERSION }), result)),
      "unverified",
    );
    assert.equal(
      code(() => messages.openTask(job, result)),
      "unverified",
    );
  });
});

describe("a task", () => {
  const messages = new Messages(new Box(new Secret(HEX), "backfill workers"));
  const task: Task = { id: "id-1", listed: LISTED, kept: something, project: "p", terms: { collect: "full" } };

  test("reads back unchanged", () => {
    for (const given of [task, { ...task, kept: nothing }, { ...task, listed: undefined }]) {
      const job = jobId({ subject: SUBJECT, listed: given.listed });
      const opened = messages.openTask(job, messages.closeTask(job, given));
      assert.deepEqual(opened, JSON.parse(JSON.stringify(given)));
    }
  });

  test("is refused if it is for another identity or malformed", () => {
    const job = jobId({ subject: SUBJECT, listed: LISTED });
    const foreign = { ...keptFile, key: fileKey("cd".repeat(16), "c".repeat(32)) };
    for (const hostile of [
      { ...task, listed: VERSION },
      { ...task, id: "" },
      { ...task, kept: { ...something, files: [foreign] } },
      { ...task, kept: { ...something, purgedFiles: [foreign.key] } },
      { ...task, kept: { ...something, files: [{ ...keptFile, key: recordKey(SUBJECT, VERSION) }] } },
      { ...task, kept: { ...something, versions: ["../x"] } },
    ])
      assert.throws(() => messages.openTask(job, messages.closeTask(job, hostile)), { code: "malformed" });
  });
});
