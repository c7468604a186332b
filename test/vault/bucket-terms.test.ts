import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { S3Vault } from "../../src/vault/s3.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { lockedBucket, s3Client } from "../servers/s3.ts";
import { type Seen, startStrictS3 } from "../servers/strict-s3.ts";
import { produce, text } from "./body.ts";
import { code } from "./refusal.ts";
import { QUICK, strictVault, vaultOn } from "./strict-vault.ts";

const lock = { mode: "governance", until: Temporal.Instant.from("2099-01-01T00:00:00Z") } as const;
const stores = ({ operation }: Seen) => operation === "PutObject" || operation === "CreateMultipartUpload";

describe("headers that a bucket's policy may require", () => {
  const terms = {
    encryption: "aws:kms",
    kmsKey: "arn:aws:kms:eu-central-1:123456789012:key/1",
    expectedOwner: "123456789012",
    requesterPays: true,
  } as const;
  const isAsAsked = (request: Seen) =>
    request.headers["x-amz-expected-bucket-owner"] === "123456789012" &&
    request.headers["x-amz-request-payer"] === "requester" &&
    (!stores(request) ||
      (request.headers["x-amz-server-side-encryption"] === "aws:kms" &&
        request.headers["x-amz-server-side-encryption-aws-kms-key-id"] === terms.kmsKey));

  test("encryption, owner and requester-pays headers are sent with the right requests, and only if they are set", async () => {
    await using server = Object.assign(await startStrictS3(), { [Symbol.asyncDispose]: () => server.close() });
    const bucket = await lockedBucket(server.endpoint);
    const path = { bucket, prefix: "p", endpoint: server.endpoint, forcePathStyle: true, concurrency: 4, retry: QUICK };
    server.grant(isAsAsked);
    const without = new S3Vault(path);
    await assert.rejects(without.put("records/a", text("x"), { lock }), code("vault-denied"));
    const vault = new S3Vault({ ...path, ...terms });
    // The first goes through the SDK, the second through the fast path, the third in parts.
    for (const key of ["records/a", "records/b"]) await vault.put(key, text("x"), { lock });
    const { versionId } = await vault.put("files/c", produce(9_000_000), { lock });
    await vault.lock("files/c", versionId, { ...lock, until: lock.until.add({ hours: 24 }) });
    await Array.fromAsync(vault.versions(""));
    await vault.read("records/b", 10);
    for (const each of [without, vault]) await each.close();
    const plain = vaultOn(server, bucket);
    server.grant(() => true);
    server.forget();
    await plain.put("records/d", text("x"), { lock });
    const named = Object.keys(server.seen[0]!.headers).filter((name) => /encryption|owner|payer/.test(name));
    assert.deepEqual(named, []);
    await plain.close();
  });

  test("an export with these settings in the config", async () => {
    await using server = Object.assign(await startStrictS3(), { [Symbol.asyncDispose]: () => server.close() });
    await using sandbox = await startSandbox({ identities: 3, plainImages: true });
    await using place = await makeWorkplace(sandbox, { init: false });
    const bucket = await lockedBucket(server.endpoint);
    const vault = { url: `s3://${bucket}/acme-bank`, endpoint: server.endpoint, forcePathStyle: true, ...terms };
    server.grant(isAsAsked);
    await place.configure({ vault });
    for (const command of ["init", "export"]) {
      const ended = await place.here(command);
      assert.equal(ended.code, 0, ended.stderr);
    }
    const entries = await place.entries("record.stored");
    assert.equal(entries.length, 3);
    const client = s3Client(server.endpoint);
    server.grant(() => true);
    await client.send(new HeadObjectCommand({ Bucket: bucket, Key: `acme-bank/${entries[0]!.object.key}` }));
    client.destroy();
    await place.configure({ vault: { encryption: "AES256" } });
    const wrong = await place.here("export");
    assert.deepEqual([wrong.code, /vault\.kmsKey/.test(wrong.stderr)], [2, true], wrong.stderr);
  });
});

describe("stores that require more of a locked PUT, or support less", () => {
  test("both paths send x-amz-sdk-checksum-algorithm with the checksum", async () => {
    await using strict = await strictVault();
    for (const key of ["records/a", "records/b"]) await strict.vault.put(key, text("x"), { lock });
    const puts = strict.server.seen.filter(({ operation }) => operation === "PutObject");
    assert.deepEqual(
      puts.map(({ headers }) => headers["x-amz-sdk-checksum-algorithm"]),
      ["SHA256", "SHA256"],
    );
  });

  test("Content-MD5 is sent after the first refusal that asks for it", async () => {
    await using strict = await strictVault();
    let refused = 0;
    strict.server.intercept((request, response) => {
      const isLocked = request.headers["x-amz-object-lock-mode"] !== undefined || /retention/.test(request.url!);
      if (request.method !== "PUT" || !isLocked || request.headers["content-md5"]) return false;
      refused += 1;
      const message = "Content-MD5 HTTP header is required for Put Object requests with Object Lock parameters";
      const body = `<Error><Code>InvalidRequest</Code><Message>${message}</Message></Error>`;
      request.resume().on("end", () => response.writeHead(400, { "content-type": "application/xml" }).end(body));
      return true;
    });
    for (const key of ["records/a", "records/b", "records/c"]) {
      const { versionId } = await strict.vault.put(key, text(key), { lock });
      await strict.vault.lock(key, versionId, { ...lock, until: lock.until.add({ hours: 24 }) });
      assert.equal(String(Buffer.from((await strict.vault.read(key, 100)).bytes)), key);
    }
    assert.equal(refused, 1);
  });

  for (const [status, name] of [
    [501, "NotImplemented"],
    [405, "MethodNotAllowed"],
  ] as const) {
    test(`GetObjectRetention is ${name}: HEAD reads the locks`, async () => {
      await using strict = await strictVault();
      strict.server.setFaults([{ operation: "GetObjectRetention", fails: { status, code: name } }]);
      const { versionId } = await strict.vault.put("files/a", produce(9_000_000), { lock });
      assert.deepEqual(await strict.vault.lockOf("files/a", versionId), lock);
      assert.equal(strict.server.requests.GetObjectRetention, 1);
    });
  }
});
