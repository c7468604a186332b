import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { covers } from "../../src/vault/lock.ts";
import type { Lock } from "../../src/vault/vault.ts";
import { s3Client } from "../servers/s3.ts";
import { startStrictS3 } from "../servers/strict-s3.ts";
import { produce, text } from "./body.ts";
import { code } from "./refusal.ts";
import { QUICK, strictVault, vaultOn } from "./strict-vault.ts";

const lock: Lock = { mode: "governance", until: Temporal.Instant.from("2099-01-01T00:00:00Z") };
/** Two parts. */
const LARGE = 9_000_000;

describe("stores that do not do what they accept", () => {
  test("a lock lost by a multipart upload is noticed and set", async () => {
    await using strict = await strictVault({ multipartLocks: false });
    const stored = await strict.vault.put("files/aa/a.age", produce(LARGE), { lock });
    assert.equal(strict.server.requests.PutObjectRetention, 1);
    assert.ok(covers((await strict.vault.head(stored.key, stored.versionId)).lock, lock));
  });

  test("waits for a store that refuses the lock right after the upload", async () => {
    await using strict = await strictVault({ multipartLocks: false });
    const refusal = { operation: "PutObjectRetention", fails: { status: 403, code: "AccessDenied" } } as const;
    strict.server.setFaults([{ ...refusal, times: 2 }]);
    const stored = await strict.vault.put("files/aa/a.age", produce(LARGE), { lock });
    assert.ok(covers((await strict.vault.head(stored.key, stored.versionId)).lock, lock));
    strict.server.setFaults([refusal]);
    await assert.rejects(strict.vault.put("files/aa/b.age", produce(LARGE), { lock }), code("vault-locked"));
  });

  test("if checking the lock fails, the check is retried and not the upload", async () => {
    await using strict = await strictVault({ multipartLocks: false });
    const fails = { status: 503, code: "SlowDown" };
    strict.server.setFaults([
      { operation: "GetObjectRetention", times: QUICK.retries, fails },
      { operation: "PutObjectRetention", times: QUICK.retries, fails },
    ]);
    await strict.vault.put("files/aa/a.age", produce(LARGE), { lock });
    assert.equal(strict.server.requests.CompleteMultipartUpload, 1);
  });

  test("a store that never sets the lock is unfit", async () => {
    await using strict = await strictVault({ multipartLocks: false, retention: false });
    await assert.rejects(strict.vault.put("files/aa/a.age", produce(LARGE), { lock }), code("vault-unfit"));
  });

  test("a store that returns no version id is unfit", async () => {
    await using strict = await strictVault({ versionIds: false });
    for (const body of [text("one"), produce(10), produce(LARGE)]) {
      await assert.rejects(strict.vault.put("files/aa/a.age", body), code("vault-unfit"));
    }
  });

  test("a bucket without Object Lock, or with versioning off or suspended, is unfit", async (t) => {
    const server = await startStrictS3();
    t.after(() => server.close());
    const client = s3Client(server.endpoint);
    const Bucket = `t-${randomBytes(6).toString("hex")}`;
    const vault = vaultOn(server, Bucket);
    const unfit = async () => {
      await assert.rejects(vault.inspect(), code("vault-unfit"));
      for (const body of [text("one"), produce(LARGE)]) {
        await assert.rejects(vault.put("files/aa/a.age", body), code("vault-unfit"));
      }
      await assert.rejects(vault.put("files/aa/a.age", text("one"), { lock }), code("vault-rejected"));
    };
    await assert.rejects(vault.inspect(), code("vault-missing"));
    await client.send(new CreateBucketCommand({ Bucket }));
    await unfit();
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } }));
    await unfit();
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    await assert.rejects(vault.inspect(), code("vault-unfit"));
    // Some stores do not support this request.
    server.setFaults([{ operation: "GetObjectLockConfiguration", fails: { status: 501, code: "NotImplemented" } }]);
    await assert.rejects(vault.inspect(), code("vault-unfit"));
    client.destroy();
    await vault.close();
  });

  test("a store that does not report an object's length is unfit", async () => {
    await using strict = await strictVault();
    await strict.vault.put("records/aa/a.age", text("one"));
    strict.server.intercept((_, response) => {
      response.writeHead(200, { etag: '"e"', "transfer-encoding": "chunked" }).end("one");
      return true;
    });
    await assert.rejects(strict.vault.read("records/aa/a.age", 10), code("vault-unfit"));
    await assert.rejects(strict.vault.stream("records/aa/a.age"), code("vault-unfit"));
  });
});
