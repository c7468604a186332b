import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import PQueue from "p-queue";
import { storeSealed } from "../../src/export/store.ts";
import { silentLog } from "../../src/observe/log.ts";
import { lockFor } from "../../src/vault/lock.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { startSandbox } from "../sandbox/server.ts";
import { s3Client } from "../servers/s3.ts";
import { strictVault } from "../vault/strict-vault.ts";
import { type AgeKey, CLIENT, makeAgeKey, makeWorkplace, type Workplace } from "./workplace.ts";

/**
 * Everyone is stored and no one logged, as a crash can leave it that takes the state directory with it: the vault's
 * log is put back to what it was.
 */
async function leaveOrphans(place: Workplace): Promise<string[]> {
  const vault = place.path("vault", CLIENT);
  const log = ["audit", ".versions/audit"];
  for (const part of log) await cp(join(vault, part), place.path("before", part), { recursive: true });
  await cp(place.path("state"), place.path("before/state"), { recursive: true });
  await place.export();
  for (const part of log) {
    await rm(join(vault, part), { recursive: true, force: true });
    await cp(place.path("before", part), join(vault, part), { recursive: true });
  }
  await rm(place.path("state"), { recursive: true });
  await cp(place.path("before/state"), place.path("state"), { recursive: true });
  const names = await readdir(join(vault, ".versions"), { recursive: true });
  return names.filter((name) => /\.age\/\d+$/.test(name));
}

interface Verified {
  readonly problems: number;
  readonly orphaned: readonly { readonly key: string; readonly versionId: string }[];
}

/** All that is logged opens with a key, and is what the log says to the byte. */
async function assertOpens(place: Workplace, key: AgeKey): Promise<number> {
  let objects = 0;
  const vault = await place.vault();
  for (const { object, files } of await place.entries("record.stored")) {
    for (const { key: name, versionId, sha256 } of [object, ...files]) {
      const { bytes } = await vault.read(name, 1024 ** 3, versionId);
      assert.equal(createHash("sha256").update(bytes).digest("hex"), sha256);
      assert.ok(await place.unseal(name, versionId, key));
      objects += 1;
    }
  }
  return objects;
}

test("after a crash and a change of recipients, nothing sealed to the old ones is logged as sealed to the new", async () => {
  await using sandbox = await startSandbox({ identities: 5, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  const orphans = await leaveOrphans(place);
  const successor = await makeAgeKey(place.path("keys/successor.txt"));
  await place.configure({ recipients: [successor.recipient] });
  // A run that meets one person only: vault.json says from now on that it is sealed to the successor.
  await place.export("--identity", sandbox.ids()[0]!);
  assert.equal((await place.export()).new, 4);
  assert.equal(await assertOpens(place, successor), orphans.length);
  const [report] = await place.expect<Verified>(0, "verify", "--orphans", "--read-data", "100");
  assert.deepEqual([report!.problems, report!.orphaned.length], [0, orphans.length], "they stay, and are told");
});

test("what lies under the key is not taken for the object: noise in the place of an orphan is never logged", async () => {
  await using sandbox = await startSandbox({ identities: 5, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  const orphans = await leaveOrphans(place);
  for (const name of orphans) {
    const path = place.path("vault", CLIENT, ".versions", name);
    const { length } = await readFile(path);
    await rm(path);
    await writeFile(path, Buffer.alloc(length, 7));
  }
  assert.equal((await place.export()).new, 5);
  assert.equal(await assertOpens(place, place.officer), orphans.length);
  await place.expect(0, "verify", "--read-data", "100");
});

test("a leftover record is not logged with an entry that describes a different one", async () => {
  await using sandbox = await startSandbox({ identities: 6, plainImages: true, withhold: 60 });
  await using place = await makeWorkplace(sandbox);
  await leaveOrphans(place);
  sandbox.setFaults({ withhold: 0 });
  await place.export();
  for (const entry of await place.entries("record.stored")) {
    const record = await place.record(entry);
    assert.deepEqual([record.withheld, entry.withheld], [[], 0]);
    assert.deepEqual(
      record.files.map(({ key }) => key),
      entry.files.map(({ key }) => key),
    );
  }
});

describe("an object that was sent, and the answer lost", () => {
  const key = `records/aa/${"a".repeat(32)}/20260101T000000Z-${"b".repeat(12)}.age`;
  const lock = lockFor("governance", Temporal.Duration.from("PT1H"), Temporal.Now.instant());
  const bytes = new TextEncoder().encode("age-encryption.org/v1 and so on");

  /** Stores through a vault whose first PUT arrives, and says afterwards that there is an object already. */
  async function stored(vault: Vault, body: Parameters<typeof storeSealed>[2], meanwhile = async () => {}) {
    const put: Vault["put"] = async (name, content, options) => {
      if (!options?.ifAbsent) return vault.put(name, content, options);
      await vault.put(name, content, options);
      await meanwhile();
      return vault.put(name, content, options);
    };
    const lossy = withPut(vault, put);
    const parts = { vault: lossy, vaultQueue: new PQueue(), conditional: { ifNoneMatch: true, ifMatch: true } };
    return storeSealed({ ...parts, holds: () => {}, log: silentLog } as never, key, body, lock);
  }

  test("is adopted if its bytes are the ones that were sent, whole or as a stream", async () => {
    for (const body of [bytes, async () => pieces(bytes)]) {
      await using strict = await strictVault();
      const { vault } = strict;
      const { versionId, sha256 } = await stored(vault, body);
      const versions = await Array.fromAsync(vault.versions(key));
      assert.deepEqual(
        versions.map((version) => version.versionId),
        [versionId],
      );
      assert.equal(sha256, createHash("sha256").update(bytes).digest("hex"));
    }
  });

  test("is not where a stream was re-encrypted meanwhile, or someone put noise in its place with its digest", async () => {
    await using strict = await strictVault();
    let pass = 0;
    const again = await stored(strict.vault, async () => pieces(new TextEncoder().encode(`pass ${pass++}`)));
    assert.equal((await strict.vault.read(key, 100, again.versionId)).bytes.toString(), "pass 2");

    await using attacked = await strictVault();
    const noise = Buffer.alloc(bytes.length, 7);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const { versionId } = await stored(attacked.vault, bytes, async () => {
      const command = {
        Bucket: attacked.bucket,
        Key: `holdfast/acme/${key}`,
        Body: noise,
        Metadata: { sha256 },
        ChecksumAlgorithm: "SHA256" as const,
      };
      await s3Client(attacked.server.endpoint).send(new PutObjectCommand(command));
    });
    const { bytes: found } = await attacked.vault.read(key, 100, versionId);
    assert.deepEqual(Buffer.from(found), Buffer.from(bytes));
  });
});

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, 5);
  yield bytes.subarray(5);
}

function withPut(vault: Vault, put: Vault["put"]): Vault {
  return new Proxy(vault, {
    get: (_, name) => {
      const value = name === "put" ? put : vault[name as keyof Vault];
      return typeof value === "function" ? (value as (...args: never[]) => unknown).bind(vault) : value;
    },
  });
}
