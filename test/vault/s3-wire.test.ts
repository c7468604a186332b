import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Lock } from "../../src/vault/vault.ts";
import type { Seen } from "../servers/strict-s3.ts";
import { produce, text } from "./body.ts";
import { code } from "./refusal.ts";
import { strictVault } from "./strict-vault.ts";

const lock: Lock = { mode: "compliance", until: Temporal.Instant.from("2099-01-01T00:00:00Z") };
/** Two parts. */
const LARGE = 9_000_000;

function hasDigest({ headers }: Seen): boolean {
  return headers["content-md5"] !== undefined || headers["x-amz-checksum-sha256"] !== undefined;
}

function asksForLock({ headers }: Seen): boolean {
  const until = Date.parse(String(headers["x-amz-object-lock-retain-until-date"]));
  return headers["x-amz-object-lock-mode"] === "COMPLIANCE" && until === lock.until.epochMilliseconds;
}

describe("S3 on the wire", () => {
  test("a small object takes one request, with digest and lock", async () => {
    await using strict = await strictVault();
    for (const bytes of [new Uint8Array(), text("one")]) {
      strict.server.forget();
      await strict.vault.put("records/aa/a.age", bytes, { lock });
      assert.deepEqual(strict.server.requests, { PutObject: 1 });
      assert.ok(strict.server.seen.every((request) => hasDigest(request) && asksForLock(request)));
    }
  });

  test("a long stream takes a request per part, two to begin and complete, and one to check the lock", async () => {
    await using strict = await strictVault();
    await strict.vault.put("files/aa/a.age", produce(LARGE), { lock });
    assert.deepEqual(strict.server.requests, {
      ...{ CreateMultipartUpload: 1, UploadPart: 2, CompleteMultipartUpload: 1, GetObjectRetention: 1 },
    });
    const created = strict.server.seen.filter(({ operation }) => operation === "CreateMultipartUpload");
    assert.ok(created.every(asksForLock));
  });

  test("without a lock there is no check", async () => {
    await using strict = await strictVault();
    await strict.vault.put("files/aa/a.age", produce(LARGE));
    await strict.vault.put("files/aa/b.age", produce(10));
    assert.deepEqual(strict.server.requests, {
      ...{ CreateMultipartUpload: 1, UploadPart: 2, CompleteMultipartUpload: 1, PutObject: 1 },
    });
  });

  test("every write sends a digest in its headers, never in a trailer", async () => {
    await using strict = await strictVault();
    const { vault, server } = strict;
    const { key, versionId } = await vault.put("records/aa/a.age", text("one"), { ifAbsent: true });
    await vault.lock(key, versionId, lock);
    await vault.put("files/aa/b.age", produce(10), { lock });
    await vault.put("files/aa/c.age", produce(LARGE), { lock });
    const writes = server.seen.filter(({ size, operation }) => size > 0 && operation !== "CompleteMultipartUpload");
    assert.deepEqual(
      writes.map(({ operation }) => operation),
      ["PutObject", "PutObjectRetention", "PutObject", "UploadPart", "UploadPart"],
    );
    assert.ok(writes.every(hasDigest));
    for (const { headers } of writes) {
      const checksum = Buffer.from(String(headers["x-amz-checksum-sha256"]), "base64").toString("hex");
      assert.equal(headers["x-amz-content-sha256"], checksum, "the digest is signed");
    }
    for (const { headers } of server.seen) {
      assert.equal(headers["x-amz-trailer"], undefined);
      assert.equal(headers["transfer-encoding"], undefined);
      assert.doesNotMatch(String(headers["content-encoding"]), /aws-chunked/);
      assert.doesNotMatch(String(headers["x-amz-content-sha256"]), /^STREAMING/);
    }
  });

  test("a failed upload leaves nothing behind", async () => {
    await using strict = await strictVault();
    const { vault, server } = strict;
    for (const operation of ["UploadPart", "CompleteMultipartUpload"] as const) {
      server.setFaults([{ operation, fails: { status: 503, code: "SlowDown" } }]);
      await assert.rejects(vault.put("files/aa/a.age", produce(LARGE), { lock }), code("vault-unavailable"));
    }
    assert.equal(server.requests.AbortMultipartUpload, server.requests.CreateMultipartUpload);
    await assert.rejects(vault.head("files/aa/a.age"), code("vault-missing"));
  });

  test("a completion may exceed the idle timeout while white space arrives", async () => {
    await using strict = await strictVault({}, 3_000);
    // AWS answers 200 at once and keeps the connection alive with white space until the object is assembled.
    strict.server.intercept((request, response) => {
      if (request.method !== "POST" || !request.url?.includes("uploadId")) return false;
      request.resume();
      response.writeHead(200, { "x-amz-version-id": "v1" });
      response.write('<?xml version="1.0" encoding="UTF-8"?>');
      let left = 8;
      const timer = setInterval(() => {
        response.write("\n");
        if (--left > 0) return;
        clearInterval(timer);
        response.end('<CompleteMultipartUploadResult><ETag>"e-2"</ETag></CompleteMultipartUploadResult>');
      }, 450);
      return true;
    });
    const stored = await strict.vault.put("files/aa/a.age", produce(LARGE));
    assert.deepEqual([stored.versionId, stored.etag], ["v1", '"e-2"']);
  });
});
