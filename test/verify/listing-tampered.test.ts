import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { DeleteObjectCommand, PutObjectCommand, PutObjectRetentionCommand, type S3Client } from "@aws-sdk/client-s3";
import type { RecordStored } from "../../src/audit/entry.ts";
import { SignedLog } from "../../src/audit/signed-log.ts";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import { systemClock } from "../../src/core/clock.ts";
import { Superseded } from "../../src/retention/superseded.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { Checks } from "../../src/verify/checks.ts";
import type { LockTurns } from "../../src/verify/lock-turns.ts";
import { compareVault, type VaultTally } from "../../src/verify/vault-pass.ts";
import { CLIENT, makeWorkplace, type Workplace, type WorkplaceOptions } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { s3Client } from "../servers/s3.ts";
import { inBuckets } from "./buckets.ts";
import { emptyTally } from "./tally.ts";

interface Found {
  readonly problems: readonly string[];
  readonly orphans: readonly string[];
  readonly tally: VaultTally;
  /** HEAD requests. */
  readonly heads: number;
}

/** What a bare S3 client with every right does to a vault, and what one pass over its listing finds. */
function tampering(
  name: string,
  open: () => Promise<WorkplaceOptions>,
  skip: string | false,
  close?: () => Promise<void>,
) {
  describe(`by listing alone, in a bucket: ${name}`, { skip }, () => {
    let place: Workplace;
    let vault: Vault;
    let index: Catalog;
    let stored: RecordStored[];
    let s3: S3Client;
    let bucket: string;

    before(async () => {
      await using sandbox = await startSandbox({ identities: 8, plainImages: true });
      place = await makeWorkplace(sandbox, await open());
      await place.export();
      const client = await place.client();
      if (client.vault.kind !== "s3") return assert.fail("not in a bucket");
      bucket = client.vault.bucket;
      s3 = s3Client(client.vault.endpoint);
      vault = await place.vault();
      const { log, head } = await place.log();
      index = await openCatalog(place.path("index.sqlite"), new SignedLog(log, head));
      stored = await place.entries("record.stored");
    });
    after(async () => {
      index?.close();
      s3?.destroy();
      await place?.[Symbol.asyncDispose]();
      await close?.();
    });

    const at = (key: string) => ({ Bucket: bucket, Key: `${CLIENT}/${key}` });
    const put = (key: string, Body: Uint8Array) =>
      s3.send(new PutObjectCommand({ ...at(key), Body, ChecksumAlgorithm: "SHA256" }));
    const remove = (key: string, VersionId?: string) =>
      s3.send(
        new DeleteObjectCommand({ ...at(key), ...(VersionId ? { VersionId, BypassGovernanceRetention: true } : {}) }),
      );

    /** @param due whose turn it is to have its lock looked at */
    async function compare(due: (key: string) => boolean = () => false): Promise<Found> {
      const tally = emptyTally();
      const problems: string[] = [];
      const orphans: string[] = [];
      let heads = 0;
      const counted: Vault = Object.assign(Object.create(vault), {
        ...{ versions: vault.versions.bind(vault), remains: undefined, view: undefined },
        head: (...args: Parameters<Vault["head"]>) => {
          heads += 1;
          return vault.head(...args);
        },
      });
      const superseded = new Superseded(":memory:");
      await compareVault({
        ...{ vault: counted, index, superseded, tally, checks: new Checks(4), now: systemClock, readData: 0 },
        turns: { isDue: ({ key }: { key: string }) => due(key), noteFault: () => {} } as unknown as LockTurns,
        ...{ signal: new AbortController().signal, onObject: () => {} },
        ...{ onMore: () => {}, onRecord: () => {}, onFile: () => {} },
        problem: ({ key, what }) => problems.push(`${key}: ${what}`),
        orphan: ({ key }) => orphans.push(key),
      });
      superseded.close();
      return { problems, orphans, tally, heads };
    }

    test("an untouched vault needs no HEAD at all, and the result says that no lock was looked at", async () => {
      const { problems, orphans, tally, heads } = await compare();
      assert.deepEqual([problems, orphans, heads, tally.looked, tally.unlisted], [[], [], 0, 0, 0]);
      assert.equal(tally.records, 8);
      assert.ok(tally.files > 0);
    });

    test("a delete marker", async () => {
      const { key } = stored[0]!.object;
      const { VersionId } = await remove(key);
      assert.deepEqual((await compare()).problems, [`${key}: is hidden by a delete marker`]);
      await remove(key, VersionId);
    });

    test("an extra version, also of the same bytes", async () => {
      const { key, versionId, size } = stored[1]!.files[0]!;
      const { bytes } = await vault.read(key, size, versionId);
      const { VersionId } = await put(key, bytes);
      const { problems, orphans } = await compare();
      assert.deepEqual([problems, orphans], [[`${key}: was replaced: a newer version hides it`], [key]]);
      await remove(key, VersionId);
    });

    test("a foreign object, before, between and after the log's own", async () => {
      const keys = ["files/!", `files/${"z".repeat(900)}`, "notes/x y/é😀", "records/00/none"];
      const put1 = await Promise.all(keys.map((key) => put(key, Buffer.from("foreign"))));
      const { problems, orphans, heads } = await compare();
      assert.deepEqual([problems, orphans.toSorted(), heads], [[], keys.toSorted(), 0]);
      await Promise.all(keys.map((key, n) => remove(key, put1[n]!.VersionId)));
    });

    test("a shortened lock shows when the object has its turn, and no earlier", async () => {
      const { key, versionId } = stored[2]!.object;
      const until = systemClock().add({ hours: 1 });
      await s3.send(
        new PutObjectRetentionCommand({
          ...{ ...at(key), VersionId: versionId, BypassGovernanceRetention: true },
          Retention: { Mode: "GOVERNANCE", RetainUntilDate: new Date(until.epochMilliseconds) },
          ChecksumAlgorithm: "SHA256",
        }),
      );
      assert.deepEqual((await compare()).problems, []);
      const { problems, heads, tally } = await compare((each) => each === key);
      assert.deepEqual([problems.length, heads, tally.looked, tally.recordsFaulty], [1, 1, 1, 1]);
      assert.match(problems[0]!, new RegExp(`^${key}: must be locked in governance mode until .*, but is locked`));
    });

    test("a version removed past its governance lock, and one replaced by another of the same size", async () => {
      const gone = stored[3]!.object;
      const replaced = stored[4]!.object;
      await remove(gone.key, gone.versionId);
      await remove(replaced.key, replaced.versionId);
      await put(replaced.key, createHash("shake256", { outputLength: replaced.size }).digest());
      const { problems, orphans, heads, tally } = await compare();
      assert.deepEqual(problems.map((each) => each.split(":")[0]).sort(), [gone.key, replaced.key].sort());
      assert.ok(problems.every((each) => each.endsWith(": is missing")));
      // One HEAD each confirms that it is gone.
      assert.deepEqual([orphans, heads, tally.recordsFaulty, tally.unlisted], [[replaced.key], 2, 2, 0]);
    });
  });
}

inBuckets(tampering);
