import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { hasCode } from "../../src/core/error.ts";
import { foldersOf } from "../../src/vault/layout.ts";
import type { Vault, VersionInfo } from "../../src/vault/vault.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { s3Client, withoutCeph } from "../servers/s3.ts";
import { ask, type Result } from "./place.ts";

interface Found {
  readonly found: readonly unknown[];
  readonly unlocked: number;
  readonly notLocked: readonly { readonly key: string; readonly what: string }[];
}

/** Long enough to test what must be refused meanwhile, short enough to wait for. */
const LOCK = { keep: "PT1H", from: "relationship-end", initialLock: "PT9S", extendWhenLessThan: "PT7S" };

const longAgo = (): string => Temporal.Now.plainDateISO("UTC").subtract({ days: 2 }).toString();

async function versionsOf(vault: Vault, subject: string): Promise<VersionInfo[]> {
  const found: VersionInfo[] = [];
  for (const folder of foldersOf(subject)) for await (const version of vault.versions(folder)) found.push(version);
  return found;
}

/** Real locks end by the server's clock, so the test has to wait. */
async function unlocked(vault: Vault, objects: readonly VersionInfo[]): Promise<void> {
  for (const { key, versionId } of objects) {
    const { lock } = await vault.head(key, versionId);
    await delay(Math.max(0, (lock?.until.epochMilliseconds ?? 0) - Date.now() + 1_200));
  }
}

async function hide(place: Workplace, key: string): Promise<void> {
  const url = new URL((await place.client()).vault.url);
  await s3Client().send(new DeleteObjectCommand({ Bucket: url.host, Key: `${url.pathname.slice(1)}/${key}` }));
}

describe("the life of one person", { concurrency: 2 }, () => {
  for (const kind of ["directory", "ceph"] as const) {
    const skip = kind === "ceph" && withoutCeph;
    test(`${kind}: export, extension, end, hold, release, purge; the store itself refuses early deletion`, {
      skip,
    }, async () => {
      await using sandbox = await startSandbox({ identities: 4, plainImages: true });
      await using place = await makeWorkplace(sandbox, { vault: kind, client: { retention: LOCK } });
      await place.export();
      const identity = (await (
        await fetch(`${sandbox.url}/identities?limit=1`, { headers: { "x-api-key": sandbox.apiKey } })
      ).json()) as {
        data: { id: string }[];
      };
      const id = identity.data[0]!.id;
      const subject = await place.subject(id);
      sandbox.change([0]);
      await place.export();
      const vault = await place.vault();
      const objects = await versionsOf(vault, subject);
      assert.ok(objects.length >= 3);

      // While the relationship lasts nothing is past its date, and locks are extended.
      const before = (await ask(place, 0, "retention", "purge")) as { clients: { purge: unknown[] }[] };
      assert.deepEqual(before.clients[0]!.purge, []);
      const assessed = (await ask(place, 0, "erasure", "assess", "--identity", id)) as { people: Result[] };
      assert.equal(assessed.people[0]!.answer, "kept");
      await place.configure({ retention: { initialLock: "PT12S", extendWhenLessThan: "PT11S" } });
      await ask(place, 0, "retention", "extend");

      // As little as possible until the locks end.
      const ended = await ask(place, 0, "relationship", "end", "--identity", id, "--date", longAgo());
      assert.deepEqual([ended.subjects, ended.past], [1, 1]);
      // Past its date but still locked: listed as kept, not purged, and the store refuses deletion.
      const early = (await ask(place, 0, "retention", "purge")) as { clients: { purge: Result[] }[] };
      assert.match(String(early.clients[0]!.purge[0]!.kept), /^locked until /);
      const none = await ask(place, 0, "retention", "purge", "--confirm", "--out", place.path("early"));
      assert.deepEqual([none.subjects, none.kept], [0, 1]);
      for (const { key, versionId } of objects) {
        await assert.rejects(vault.deleteVersion(key, versionId), (error) => hasCode(error, "vault-locked"));
      }

      assert.equal((await ask(place, 0, "relationship", "end", "--identity", id, "--date", longAgo())).unchanged, 1);
      const hold = ["--case", "AZ 17/26", "--reason", "an inquiry"];
      await ask(place, 0, "hold", "place", ...hold, "--identity", id);
      assert.equal((await ask(place, 0, "hold", "place", ...hold, "--identity", id)).unchanged, 1);
      await unlocked(vault, objects);
      // The locks have ended; only the hold keeps it.
      const held = (await ask(place, 0, "retention", "purge")) as { clients: { purge: Result[] }[] };
      assert.equal(held.clients[0]!.purge[0]!.kept, "legal hold");
      for (const { key, versionId } of objects) {
        await assert.rejects(vault.deleteVersion(key, versionId), (error) => hasCode(error, "vault-locked"));
      }
      // The others' locks have ended too, though they must not: the audit reports that until they are extended.
      const [unlockedToo] = await place.expect<Found>(3, "verify");
      assert.deepEqual([unlockedToo!.found, unlockedToo!.unlocked > 0], [[], true]);
      assert.ok(
        unlockedToo!.notLocked.every(({ key, what }) => !key.includes(subject) && /^must be kept while/.test(what)),
      );
      await place.configure({ retention: { initialLock: "PT30M", extendWhenLessThan: "PT20M" } });
      await ask(place, 0, "retention", "extend");
      assert.equal((await place.expect<Result>(0, "verify", "--read-data", "100"))[0]!.held, 1);

      await ask(place, 2, "hold", "release", "--case", "AZ 18/26", "--reason", "closed");
      await ask(place, 0, "hold", "release", "--case", "AZ 17/26", "--reason", "closed");
      // A delete marker on an object is removed with it.
      if (kind === "ceph") await hide(place, objects[0]!.key);
      const done = await ask(place, 0, "retention", "purge", "--confirm", "--out", place.path("destroyed"));
      assert.deepEqual([done.subjects, done.kept, done.failed], [1, 0, 0]);
      assert.equal(done.versions, objects.length + (kind === "ceph" ? 1 : 0));
      assert.deepEqual(await versionsOf(vault, subject), []);

      // The others are unchanged; the log has the purge; the provider still has the person, who is not exported again.
      const [report] = await place.expect<Result>(0, "verify", "--read-data", "100");
      assert.deepEqual([report!.problems, report!.purged], [0, objects.length]);
      const again = (await place.export()) as unknown as Result;
      assert.deepEqual([again.new, again.changed, again.past], [0, 0, 1]);
      // A purged person can still be named by id; the lookups are gone.
      for (const name of [
        ["--subject", subject],
        ["--identity", id],
      ]) {
        const { people } = (await ask(place, 0, "erasure", "assess", ...name)) as { people: Result[] };
        const { answer, purged, runs } = people[0]!;
        assert.deepEqual([people.length, answer], [1, "purged"]);
        const entry = (await place.entries("record.purged")).find((each) => each.subject === subject)!;
        assert.deepEqual([purged, runs], [entry.time, [entry.run]]);
      }
      const told = (await place.entries()).filter((entry) => "subject" in entry && entry.subject === subject);
      const types = told.map(({ type }) => type);
      const order = ["record.stored", "lock.extended", "relationship.ended", "note.stored", "hold.placed"];
      const end = ["hold.released", "purge.begun", "record.purged", "note.purged"];
      assert.deepEqual([...new Set(types)], [...order, ...end]);

      // A rebuilt catalog knows the same.
      await place.expect(0, "rebuild");
      assert.equal(((await place.export()) as unknown as Result).past, 1);
      // They come back as a customer.
      await ask(place, 0, "relationship", "reopen", "--subject", subject);
      assert.equal((await place.export()).new, 1);
      assert.equal((await place.expect<Result>(0, "verify", "--read-data", "100"))[0]!.problems, 0);
      await vault.close();
      assert.ok(existsSync(place.path("vault")) === (kind === "directory"));
    });
  }
});
