import assert from "node:assert/strict";
import { test } from "node:test";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import type { S3VaultConfig } from "../../src/config/config.ts";
import { CHECKPOINT, VAULT_JSON } from "../../src/vault/layout.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { s3Client, withoutCeph } from "../servers/s3.ts";

test("a hidden vault is not started again, from this machine or another", { skip: withoutCeph }, async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox, { vault: "ceph" });
  await place.export();
  const { bucket, prefix } = (await place.client()).vault as S3VaultConfig;
  const client = s3Client();
  const remove = (key: string, VersionId?: string) =>
    client.send(
      new DeleteObjectCommand({ Bucket: bucket, Key: `${prefix}/${key}`, ...(VersionId ? { VersionId } : {}) }),
    );

  for (const key of [VAULT_JSON, CHECKPOINT]) {
    const { VersionId: marker } = await remove(key);
    for (const state of ["./state", "./elsewhere"]) {
      place.config.state = state;
      await place.configure();
      for (const command of ["export", "init", "verify", "rebuild"]) {
        // If only the checkpoint is hidden, init finds a valid description and stops at the log.
        assert.equal((await place.here(command)).code, 4, `${command} without ${key}, ${state}`);
      }
    }
    await remove(key, marker);
  }
  place.config.state = "./state";
  await place.configure();
  assert.equal((await place.export()).unchanged, 2);
  await place.expect(0, "verify");
  client.destroy();
});
