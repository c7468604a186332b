import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { PutObjectRetentionCommand } from "@aws-sdk/client-s3";
import PQueue from "p-queue";
import { exportClients } from "../../jobs/export.ts";
import { extendAll } from "../../jobs/retention.ts";
import { verify } from "../../jobs/verify.ts";
import type { RetentionStart } from "../../src/config/config.ts";
import { createConsole } from "../../src/observe/console.ts";
import { recordUntil } from "../../src/retention/keep.ts";
import type { ObjectInfo, Vault } from "../../src/vault/vault.ts";
import { session } from "../crash/aftermath.ts";
import { middleOfEach, namesIn } from "../crash/moments.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { s3Client, withoutCeph } from "../servers/s3.ts";

const HOOK = join(import.meta.dirname, "../crash/hook.ts");

const FIRST = { initialLock: "PT1H", extendWhenLessThan: "PT30M" };
/** With these, everything that FIRST locked is due, and nothing after an extension. */
const LONGER = { initialLock: "PT2H", extendWhenLessThan: "PT90M" };

interface Locks {
  readonly subjects: number;
  readonly objects: number;
  readonly pieces: number;
  readonly failed: number;
}

async function all(vault: Vault, prefix: string): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const { key, versionId } of vault.versions(prefix)) found.push(await vault.head(key, versionId));
  return found;
}

async function extend(place: Workplace, code = 0): Promise<Locks> {
  const [locks] = await place.expect<Locks>(code, "retention", "extend");
  return locks!;
}

function left({ lock }: ObjectInfo): number {
  return lock === null ? 0 : lock.until.since(Temporal.Now.instant()).total("minutes");
}

for (const kind of ["directory", "ceph"] as const) {
  describe(`locks: ${kind}`, { skip: kind === "ceph" && withoutCeph }, () => {
    test("due locks are extended, logged to the second, and checked by verify; others cost nothing", async () => {
      await using sandbox = await startSandbox({ identities: 6, plainImages: true });
      await using place = await makeWorkplace(sandbox, { vault: kind, client: { retention: FIRST } });
      const exported = (await place.export()) as unknown as { new: number; files: number; locks: Locks };
      assert.deepEqual(exported.locks, { subjects: 0, objects: 0, pieces: 0, failed: 0 });
      sandbox.change([0]);
      await place.export();
      await place.configure({ retention: LONGER });
      const locks = await extend(place);
      const vault = await place.vault();
      const objects = [...(await all(vault, "records/")), ...(await all(vault, "files/"))];
      assert.equal(locks.subjects, 6);
      assert.equal(locks.objects, objects.length);
      assert.equal(locks.failed, 0);
      const entries = await place.entries("lock.extended");
      const logged = new Map(entries.flatMap((e) => e.objects.map((o) => [`${o.key} ${o.versionId}`, e.lockedUntil])));
      for (const { key, versionId, lock } of objects)
        assert.equal(String(lock?.until), logged.get(`${key} ${versionId}`));
      for (const info of objects) assert.ok(left(info) > 110, `${info.key}: ${left(info)}`);
      const pieces = [...(await all(vault, "audit/")), ...(await all(vault, "vault.json"))];
      for (const info of pieces) assert.ok(left(info) > 55, `${info.key}: ${left(info)}`);
      assert.ok(locks.pieces > 4);
      assert.deepEqual(await extend(place), { client: CLIENT, subjects: 0, objects: 0, pieces: 0, failed: 0 });
      const [report] = await place.expect<{ problems: number }>(0, "verify");
      assert.equal(report!.problems, 0);

      // The nightly export does it, too.
      await place.configure({ retention: { initialLock: "PT4H", extendWhenLessThan: "PT3H" } });
      const night = (await place.export()) as unknown as { locks: Locks };
      assert.equal(night.locks.objects, objects.length);
      // A catalog rebuilt from the log gives the same result.
      await place.expect(0, "rebuild");
      assert.equal((await extend(place)).objects, 0);
      await vault.close();
    });
  });
}

test("ceph: verify reports a shortened lock, and it is extended again when due", {
  skip: withoutCeph,
}, async () => {
  await using sandbox = await startSandbox({ identities: 2, plainImages: true });
  await using place = await makeWorkplace(sandbox, { vault: "ceph", client: { retention: FIRST } });
  await place.export();
  await place.configure({ retention: LONGER });
  await extend(place);
  const [entry] = await place.entries("lock.extended");
  const { key, versionId } = entry!.objects[0]!;
  const url = new URL((await place.client()).vault.url);
  await s3Client().send(
    new PutObjectRetentionCommand({
      ...{ Bucket: url.host, Key: join(url.pathname.slice(1), key), VersionId: versionId },
      Retention: { Mode: "GOVERNANCE", RetainUntilDate: new Date(Date.now() + 3_600_000 * 1.2) },
      BypassGovernanceRetention: true,
    }),
  );
  const ended = await place.here("verify", ["--json"]);
  assert.equal(ended.code, 4, ended.stdout);
  assert.match(
    ended.stderr + ended.stdout,
    /must be locked in governance mode until .*, but is locked in governance mode until/,
  );
});

test("not a day longer than the law says: the last lock ends with the retention period, and then none is extended", async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  const retention = { from: "exported", keep: "PT100M", ...FIRST };
  await using place = await makeWorkplace(sandbox, { client: { retention } });
  await place.export();
  await place.configure({ retention: { initialLock: "PT100M", extendWhenLessThan: "PT90M" } });
  const stored = new Map((await place.entries("record.stored")).map((entry) => [entry.subject, entry.time]));
  assert.equal((await extend(place)).subjects, 3);
  for (const { subject, lockedUntil } of await place.entries("lock.extended")) {
    const end = Temporal.Instant.from(stored.get(subject)!).add({ minutes: 100 });
    assert.equal(lockedUntil, String(end.round({ smallestUnit: "second", roundingMode: "ceil" })));
  }
  // Six years on, by an injected clock.
  const console = createConsole({ json: true, quiet: true });
  const now = () => Temporal.Now.instant().add({ hours: 6 * 365 * 24 });
  const signal = new AbortController().signal;
  const [later] = await extendAll({ clients: [await place.client()], console, signal, now });
  assert.deepEqual(later, { client: CLIENT, subjects: 0, objects: 0, pieces: 0, failed: 0 });
});

test("the provider is unreachable: the export fails, and the copies are kept all the same", async () => {
  await using place = await (async () => {
    await using sandbox = await startSandbox({ identities: 2, plainImages: true });
    const made = await makeWorkplace(sandbox, { client: { retention: FIRST } });
    await made.export();
    return made;
  })();
  // A key that the provider does not know is refused at once; a provider that does not answer is retried for minutes.
  await using other = await startSandbox({ identities: 2, plainImages: true });
  await writeFile(place.path("keys/provider"), "revoked");
  await place.configure({ source: { url: other.url }, retention: LONGER });
  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 1, ended.stderr);
  assert.equal((await place.entries("lock.extended")).length, 2);
  assert.equal((await extend(place)).objects, 0);
});

test("a lost object is reported, does not prevent other extensions, and the run ends with code 3", async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  await using place = await makeWorkplace(sandbox, { client: { retention: FIRST } });
  await place.export();
  const [victim] = await place.entries("record.stored");
  await rm(place.path("vault", CLIENT, ".versions", victim!.object.key), { recursive: true });
  await place.configure({ retention: LONGER });
  const ended = await place.holdfast("retention", ["extend", "--json"]);
  assert.equal(ended.code, 3, ended.stderr);
  const [locks] = (ended.json as { clients: Locks[] }).clients;
  assert.equal(locks!.failed, 1);
  assert.equal(locks!.subjects, 3);
  assert.match(ended.stderr, /lock not extended/);
  assert.ok(ended.stderr.includes(victim!.subject));
  assert.equal(
    (await place.entries("lock.extended"))
      .flatMap(({ objects }) => objects)
      .some(({ key }) => key === victim!.object.key),
    false,
  );
});

test("killed at every kind of write: the log promises only existing locks, and the next run extends the rest", async () => {
  await using sandbox = await startSandbox({ identities: 2, plainImages: true });
  await using ready = await makeWorkplace(sandbox, { client: { retention: FIRST } });
  await exportClients(await session(ready), {});
  await ready.configure({ retention: LONGER });
  const node = ["--import", HOOK];
  await using traced = await ready.copy();
  const trace = traced.path("moments");
  await traced.holdfast("retention", ["extend"], { node, env: { HOLDFAST_CRASH_TRACE: trace } });
  const chosen = middleOfEach(namesIn(await readFile(trace, "utf8")));
  assert.ok(chosen.length > 10);
  let killed = 0;
  const kill = async ({ what, env }: (typeof chosen)[number]): Promise<void> => {
    await using place = await ready.copy();
    const ended = await place.holdfast("retention", ["extend"], { node, env });
    if (ended.signal === "SIGKILL") killed += 1;
    else assert.equal(ended.code, 0, `${what}: ${ended.stderr}`);
    const here = await session(place);
    const check = { readData: 0, orphans: true } as const;
    const vault = await place.vault();
    for (const { lockedUntil, objects } of await place.entries("lock.extended")) {
      for (const { key, versionId } of objects)
        assert.equal(String((await vault.head(key, versionId)).lock?.until), lockedUntil, `${what}: ${key}`);
    }
    await extendAll(here);
    for (const [prefix, least] of [
      ["records/", 110],
      ["files/", 110],
      ["audit/", 55],
      ["vault.json", 55],
    ] as const) {
      for (const info of await all(vault, prefix)) assert.ok(left(info) > least, `${what}: ${info.key}`);
    }
    assert.deepEqual((await verify(here, check))[0]?.found, [], what);
    assert.deepEqual(await extendAll(here), [{ client: CLIENT, subjects: 0, objects: 0, pieces: 0, failed: 0 }], what);
  };
  const queue = new PQueue({ concurrency: 2 });
  const ends = await Promise.allSettled(chosen.map((at) => queue.add(() => kill(at))));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  // The order of concurrent work varies, so a run may end before its moment comes.
  assert.ok(killed > chosen.length * 0.8, `${killed} of ${chosen.length}`);
});

test("clocks: each version has its own; none runs while a relationship lasts; its last day counts in full", () => {
  const keep = Temporal.Duration.from("P5Y");
  const begun = { updated: "2022-03-01T00:00:00Z", stored: "2024-02-29T12:00:00Z" };
  const until = (from: RetentionStart, ended?: string, minimum?: string) => {
    const clock = { keep, from };
    const classes = { identifying: clock, verification: clock, files: clock };
    const rest = {
      preset: undefined,
      timezone: "UTC",
      initialLock: keep,
      extendWhenLessThan: keep,
      maximum: undefined,
    };
    const least = minimum === undefined ? undefined : Temporal.Duration.from(minimum);
    return recordUntil({ classes, ...rest, minimum: least, coolingOff: undefined }, begun, ended)?.toString();
  };
  assert.equal(until("created"), "2027-03-02T00:00:00Z");
  assert.equal(until("exported"), "2029-03-01T00:00:00Z");
  assert.equal(until("relationship-end"), undefined);
  assert.equal(until("account-closed"), undefined);
  assert.equal(until("relationship-end", "2024-12-31"), "2030-01-01T00:00:00Z");
  assert.equal(until("account-closed", "2024-02-28"), "2029-03-01T00:00:00Z");
  // A day long past when recorded: not before the copy is as old as `minimum`.
  assert.equal(until("relationship-end", "2010-01-01", "P1Y"), "2025-03-01T00:00:00Z");
  assert.equal(until("relationship-end", undefined, "P1Y"), undefined);
});
