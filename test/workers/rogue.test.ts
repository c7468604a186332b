import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileKey, recordKey } from "../../src/vault/layout.ts";
import { startSandbox } from "../sandbox/server.ts";
import { withoutRedis } from "../servers/redis.ts";
import { type Lie, lieAll, type Tools } from "./rogue.ts";
import { Team } from "./team.ts";

/** A result in transit, to be altered. */
// biome-ignore lint/suspicious/noExplicitAny: a rogue's result has no type
type Loose = any;
const at = (change: Temporal.DurationLike) => Temporal.Now.instant().add(change).toString({ smallestUnit: "second" });

/** A lie about a new identity: `change` gets the capture and its entry. */
const altered =
  (change: (capture: Loose, entry: Loose, tools: Tools) => void): Lie =>
  (honest, tools) => {
    const { capture } = honest as Loose;
    if (capture.kind !== "new") return undefined;
    change(capture, capture.entry, tools);
    return honest;
  };
/** The same for an identity with files. */
const withFiles =
  (change: (capture: Loose, entry: Loose, tools: Tools) => void): Lie =>
  (honest, tools) =>
    (honest as Loose).capture.entry?.files.length > 0 ? altered(change)(honest, tools) : undefined;
/** A wrong entry in a capture of a kind that may have one. */
const entry =
  (kind: string, make: (subject: string) => object): Lie =>
  ({ terms }, { subject }) => ({ terms, capture: { kind, entry: make(subject) } });
const instead =
  (make: (tools: Tools) => unknown): Lie =>
  (_, tools) =>
    make(tools);

const HEX = "ab".repeat(32);
const CASE = { case: HEX.slice(32), commitment: HEX };
const PURGED = "20200101T000000Z-aaaaaaaaaaaa";
const object = (subject: string) => ({ key: recordKey(subject, PURGED), versionId: "1", size: 4000, sha256: HEX });

const LIES: Readonly<Record<string, Lie>> = {
  "the relationship ended": entry("gone", (subject) => ({ type: "relationship.ended", subject, ended: "2000-01-01" })),
  "the relationship ended, as a new record": entry("new", (subject) => ({
    type: "relationship.ended",
    subject,
    ended: "2000-01-01",
  })),
  "a hold is released": entry("gone", (subject) => ({ type: "hold.released", subject, ...CASE })),
  "a hold is placed": entry("gone", (subject) => ({ type: "hold.placed", subject, ...CASE, objects: [] })),
  "it was purged": entry("gone", (subject) => ({
    type: "record.purged",
    subject,
    objects: [{ ...object(subject), versions: 1, due: at({}) }],
    whole: true,
  })),
  "a purge began": entry("gone", (subject) => ({ type: "purge.begun", subject, keys: [object(subject).key] })),
  "locks were extended": entry("gone", (subject) => ({
    type: "lock.extended",
    subject,
    lockedUntil: at({ hours: 1 }),
    lockMode: "governance",
    objects: [],
  })),
  "the policy changed": entry("gone", () => ({ type: "policy.changed", from: null, to: {} })),
  "the key changed": entry("gone", () => ({ type: "key.changed", from: "a", to: "b" })),
  "the recipients changed": entry("gone", () => ({ type: "recipients.changed", from: [], to: [] })),
  "the run finished": entry("gone", () => ({ type: "run.finished", outcome: "done", counts: {} })),
  "an entry of no known type": entry("gone", (subject) => ({ type: "evil.entry", subject })),
  "gone, at an invalid time": entry("gone", (subject) => ({
    type: "record.gone",
    subject,
    reason: "deleted",
    time: "not a time",
  })),
  "gone, for another identity": ({ terms }, { other }) => ({
    terms,
    capture: { kind: "gone", entry: { type: "record.gone", subject: other, reason: "deleted" } },
  }),
  "gone, with a version that is not kept": entry("gone", (subject) => ({
    type: "record.gone",
    subject,
    reason: "deleted",
    kept: PURGED,
  })),
  "redacted, but nothing was kept": entry("gone", (subject) => ({
    type: "record.gone",
    subject,
    reason: "redacted",
    redacted: PURGED,
  })),
  "not listed any more": entry("gone", (subject) => ({ type: "record.gone", subject, reason: "unlisted" })),
  "unchanged, but nothing is kept": ({ terms }) => ({ terms, capture: { kind: "unchanged" } }),
  "past, but no period has ended": ({ terms }) => ({ terms, capture: { kind: "past" } }),
  "an unknown kind": ({ terms }) => ({ terms, capture: { kind: "evil" } }),
  "with a time": altered((_, entry) => Object.assign(entry, { time: "2001-01-01T00:00:00.000Z" })),
  "with a run": altered((_, entry) => Object.assign(entry, { run: "evil" })),
  "an extra member": altered((_, entry) => Object.assign(entry, { evil: "evil" })),
  "an extra member in an object": altered((_, { object }) => Object.assign(object, { evil: "evil" })),
  "another subject's": altered((_, entry, { other }) =>
    Object.assign(entry, {
      subject: other,
      object: { ...entry.object, key: recordKey(other, entry.version) },
      files: [],
    }),
  ),
  "an object of another subject": altered((_, entry, { other }) =>
    Object.assign(entry.object, { key: recordKey(other, entry.version) }),
  ),
  "a version of another time": altered((_, entry, { subject }) =>
    Object.assign(entry, { version: PURGED, object: { ...entry.object, key: recordKey(subject, PURGED) } }),
  ),
  "a missing object": altered((_, { object }) => Object.assign(object, { versionId: "99999999" })),
  "an object without size": altered((capture, { object }) => {
    capture.bytes -= object.size;
    object.size = 0;
  }),
  "an object of a huge size": altered((_, { object }) => Object.assign(object, { size: 2 ** 52 })),
  "sealed to no one": altered((_, entry) => Object.assign(entry, { recipients: [] })),
  "sealed to others": altered((_, entry) => Object.assign(entry, { recipients: ["eeeeeeeeeeeeeeee"] })),
  "locked forever": altered((_, entry) => Object.assign(entry, { lockedUntil: "2999-01-01T00:00:00Z" })),
  "locked for less than it says": altered((_, entry) => {
    entry.lockedUntil = Temporal.Instant.from(entry.lockedUntil).add({ hours: 12 }).toString();
    for (const file of entry.files) file.lockedUntil = entry.lockedUntil;
  }),
  "hardly locked": altered((_, entry) => {
    entry.lockedUntil = at({ hours: 1 });
    for (const file of entry.files) file.lockedUntil = entry.lockedUntil;
  }),
  "locked in another mode": altered((_, entry) => Object.assign(entry, { lockMode: "compliance" })),
  "an e-mail address as a lookup": altered((_, entry) =>
    Object.assign(entry, { lookups: { email: "eve@example.org" } }),
  ),
  "a lookup that is not configured": altered((_, entry) =>
    Object.assign(entry, { lookups: { "metadata.evil": HEX.slice(32) } }),
  ),
  "a lookup with any number": altered((_, entry) => Object.assign(entry, { lookups: { "email/77": HEX.slice(32) } })),
  "a negative number of withheld files": altered((capture, entry) => {
    entry.withheld = capture.withheld = -1;
  }),
  "an invalid count": altered((capture) => Object.assign(capture, { files: 0.5 })),
  exabytes: altered((capture) => Object.assign(capture, { bytes: 2 ** 60 })),
  "files elsewhere": altered((_, entry) => Object.assign(entry, { moreFiles: 7 })),
  "another version than listed": altered((capture) => Object.assign(capture, { listed: PURGED })),
  "free text as the type of a file": withFiles((_, { files }) =>
    Object.assign(files[0], { type: "Eve Evil, born 1980-01-01" }),
  ),
  "free text as a media type": withFiles((_, { files }) =>
    Object.assign(files[0], { mediaType: `${"evil".repeat(200)}/x` }),
  ),
  "a file of another subject": withFiles((_, { files }, { other }) =>
    Object.assign(files[0], { key: fileKey(other, HEX.slice(32)) }),
  ),
  "a file twice": withFiles((capture, { files }) => {
    files.push(files[0]);
    capture.files += 1;
    capture.bytes += files[0].size;
  }),
  "a file as kept that never was": withFiles((capture, { files }) => {
    files[0].storedWith = PURGED;
    capture.files -= 1;
    capture.bytes -= files[0].size;
  }),
  "a missing file": withFiles((_, { files }) => Object.assign(files[0], { versionId: "99999999" })),
  "a failure that would end every run": ({ terms }) => ({ terms, failure: { code: "vault-denied", message: "evil" } }),
  "a failure with an unknown code": ({ terms }) => ({ terms, failure: { code: "evil evil", message: "evil" } }),
  "a failure with a megabyte of text": ({ terms }) => ({
    terms,
    failure: { code: "source-response", message: "evil".repeat(2 ** 18) },
  }),
  "a failure that hides the text after it": ({ terms }) => ({
    terms,
    failure: { code: "source-response", message: "\u001b[8mevil" },
  }),
  "a failure and a capture":
    altered((capture) => capture) &&
    (({ terms, ...rest }) => ({ terms, ...rest, failure: { code: "internal", message: "evil" } })),
  "with another config": (honest) => ({ ...(honest as object), terms: { evil: "evil" } }),
  "not an object": instead(({ close }) => close("[]")),
  "invalid JSON": instead(({ close }) => close('{"terms":')),
  "a number": instead(({ close }) => close("1e999")),
  "very deep": instead(({ close }) => close("[".repeat(200_000))),
  "bound to another job": instead(({ close }) => close("{}", "result another")),
  "closed with another key": instead(({ closeForeign }) => closeForeign("{}")),
  "not closed": instead(() => "evil"),
  "an empty answer": instead(() => "="),
  "a failed job": instead(({ fail }) => fail()),
};

describe("a compromised worker", { skip: withoutRedis }, () => {
  test("can only make its own identities fail in the log, and does not block the others", async () => {
    const lies = new Map(Object.entries(LIES));
    const count = lies.size + 25;
    await using sandbox = await startSandbox({ identities: count, plainImages: true });
    await using team = await Team.make(sandbox, { keeps: true });
    const subjects = await Promise.all(sandbox.ids().map((id) => team.place.subject(id)));
    const began = new Date().toISOString();
    const coordinator = team.coordinate();
    const told = await lieAll(team.workers, team.redis.url, lies, subjects, new Map([["with another config", 3]]));
    assert.deepEqual(
      [...lies.keys()].filter((name) => !told.has(name)),
      [],
      "every lie was used",
    );
    team.work();
    const ended = await coordinator.ended;
    assert.equal(ended.code, 3, ended.stderr);
    const [summary] = (ended.json as { clients: [{ new: number; failed: number; run: string; outcome: string }] })
      .clients;
    assert.deepEqual([summary.outcome, summary.new, summary.failed], ["partial", 26, lies.size - 1]);

    // The log as any reader of the vault sees it.
    const entries = await team.place.entries();
    assert.deepEqual(
      new Set(entries.map(({ type }) => type)),
      new Set(["run.started", "policy.changed", "source.changed", "record.stored", "record.failed", "run.finished"]),
    );
    for (const { time } of entries) assert.ok(time >= began && time <= new Date().toISOString(), time);
    const failed = entries.flatMap((entry) => (entry.type === "record.failed" ? [entry] : []));
    // An outdated result is produced again, here by an honest worker.
    const liars = new Map([...told].flatMap(([name, subject]) => (name === "hardly locked" ? [] : [[subject, name]])));
    assert.equal(liars.size, lies.size - 1);
    assert.deepEqual(new Set(failed.map(({ subject }) => subject)), new Set(liars.keys()));
    for (const { subject, code, run } of failed) {
      assert.match(code, /^(malformed|unverified|internal)$/, liars.get(subject) ?? "no lie about this identity");
      assert.equal(run, summary.run);
    }
    const stored = await team.place.stored();
    assert.deepEqual(new Set(stored.keys()), new Set(subjects).difference(liars));
    assert.ok(!JSON.stringify(entries).includes("evil"));
    assert.ok(!ended.stderr.includes("evil") && !ended.stderr.includes("\u001b"), "nor into messages");
    const [report] = await team.place.expect<{ problems: number }>(0, "verify", "--orphans", "--read-data", "100");
    assert.equal(report!.problems, 0);

    // The next run stores the identities it lied about, whatever it left in the vault.
    assert.equal((await team.place.export()).new, lies.size - 1);
    await team.assertAllOnce(sandbox);
  });
});
