import assert from "node:assert/strict";
import { cp, readdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { decodeEntry } from "../../src/audit/entry.ts";
import { leafHash } from "../../src/audit/merkle.ts";
import { encodeBundle, tilePath } from "../../src/audit/tile.ts";
import { checkBag } from "../../src/bag/reader.ts";
import { auditKey } from "../../src/vault/layout.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { s3Client, withoutCeph } from "../servers/s3.ts";

const WORDS = ["--case", "1", "--requested-by", "Ada", "--reason", "why"];

for (const kind of ["directory", "ceph"] as const) {
  describe(`an attacker who can write to the vault puts entries in front of the log's: ${kind}`, {
    skip: kind === "ceph" && withoutCeph,
  }, () => {
    let sandbox: Sandbox;
    let place: Workplace;
    let entries: Uint8Array[];

    before(async () => {
      sandbox = await startSandbox({ identities: 3, plainImages: true });
      place = await makeWorkplace(sandbox, { vault: kind });
      await place.export();
      await cp(place.path("state"), place.path("state-before"), { recursive: true });
      sandbox.change([0]);
      await place.export();
      const { log, head } = await place.log();
      entries = await log.bundle(0, head.size);
    });
    after(async () => {
      await place?.[Symbol.asyncDispose]();
      await sandbox?.close();
    });

    /** Stores a newer version of an object, as the bucket's owner can. */
    async function put(key: string, bytes: Uint8Array): Promise<void> {
      const { vault } = await place.client();
      if (vault.kind !== "s3") return void (await (await place.vault()).put(key, bytes));
      const s3 = s3Client(vault.endpoint);
      await s3.send(
        new PutObjectCommand({
          Bucket: vault.bucket,
          Key: `${CLIENT}/${key}`,
          Body: bytes,
          ChecksumAlgorithm: "SHA256",
        }),
      );
      s3.destroy();
    }

    const piece = (level: 0 | "entries"): string => auditKey(tilePath({ level, index: 0, width: entries.length }));

    /** Stores the log's last bundle with one entry changed, and also its tile if `andTile`. */
    async function forge(
      index: number,
      change: (entry: Record<string, unknown>) => unknown,
      andTile: boolean,
    ): Promise<void> {
      const forged = [...entries];
      forged[index] = Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(entries[index]!).toString()))));
      await put(piece("entries"), encodeBundle(forged));
      if (andTile) await put(piece(0), Buffer.concat(forged.map(leafHash)));
    }

    async function restore(): Promise<void> {
      await put(piece("entries"), encodeBundle(entries));
      await put(piece(0), Buffer.concat(entries.map(leafHash)));
    }

    const last = (type: string): number => entries.findLastIndex((bytes) => decodeEntry(bytes)?.type === type);
    const seen = async (): Promise<string[]> =>
      (await readdir(place.folder, { recursive: true })).filter((name) => !/^(state|vault)/.test(name)).sort();

    async function refuses(command: string, args: readonly string[], what: string): Promise<void> {
      const was = await seen();
      const ended = await place.here(command, [...args, "--json"]);
      assert.equal(ended.code, 4, `${what}: ${ended.stderr}${ended.stdout}`);
      assert.match(ended.stdout + ended.stderr, /"code":"unverified"/, what);
      assert.deepEqual(await seen(), was, what);
    }

    const hostile: Readonly<Record<string, (entry: Record<string, unknown>) => unknown>> = {
      "a key that is a path": (entry) => ({
        ...entry,
        object: { ...(entry.object as object), key: "records/../../../../escaped.age" },
      }),
      "another object of the same kind": (entry) => ({
        ...entry,
        object: { ...(entry.object as object), sha256: "0".repeat(64) },
      }),
      "another type": ({ time, run, subject }) => ({ type: "relationship.reopened", time, run, subject }),
    };

    for (const andTile of [false, true]) {
      const both = andTile ? ", and its tile with it" : "";
      for (const [what, change] of Object.entries(hostile)) {
        test(`retrieve refuses ${what}${both}`, async () => {
          await forge(last("record.stored"), change, andTile);
          const subject = JSON.parse(Buffer.from(entries[last("record.stored")]!).toString()).subject;
          await refuses("retrieve", [...WORDS, "--subject", subject, "--out", place.path("bag")], what);
          await restore();
        });
      }

      test(`retention certificate refuses a forged destruction${both}`, async () => {
        const { subject, object, run, time } = JSON.parse(Buffer.from(entries[last("record.stored")]!).toString());
        const objects = [{ ...object, versions: 1, due: time }];
        await forge(
          last("run.finished"),
          () => ({ type: "record.purged", time, run, subject, objects, whole: true }),
          andTile,
        );
        const args = ["certificate", "--run", run, "--out", place.path("certificate")];
        await refuses("retention", args, "a forged destruction");
        await restore();
      });

      test(`export refuses it if the catalog is behind${both}`, async () => {
        await cp(place.path("state"), place.path("state-now"), { recursive: true });
        for (const suffix of ["", "-wal", "-shm"]) {
          const name = `${CLIENT}/catalog.sqlite${suffix}`;
          await cp(place.path("state-before", name), place.path("state", name), { force: true }).catch(() => {});
        }
        await forge(last("record.stored"), hostile["another object of the same kind"]!, andTile);
        await refuses("export", [], "a catalog that is behind");
        await restore();
        // As soon as the log is back, the export works again.
        assert.equal((await place.export()).unchanged, 3);
        const { log, head } = await place.log();
        entries = await log.bundle(0, head.size);
      });
    }

    test("without forged entries, all commands work", async () => {
      const subject = JSON.parse(Buffer.from(entries[last("record.stored")]!).toString()).subject;
      const ended = await place.here("retrieve", [...WORDS, "--subject", subject, "--out", place.path("bag")]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal((await checkBag(place.path("bag"))).records.length, 2);
    });
  });
}
