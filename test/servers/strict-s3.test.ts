import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { crc32 } from "node:zlib";
import { lockedBucket } from "./s3.ts";
import { type StrictS3, startStrictS3 } from "./strict-s3.ts";

const BODY = "sealed";
const digest = (name: string, body: string) => createHash(name).update(body).digest("base64");
const md5 = { "content-md5": digest("md5", BODY) };
const crc = Buffer.alloc(4);
crc.writeUInt32BE(crc32(BODY));
const until = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const locked = (mode: string, seconds: number) => ({
  ...{ "x-amz-object-lock-mode": mode, "x-amz-object-lock-retain-until-date": until(seconds) },
});

/** The stub replaces AWS: what it refuses and accepts needs tests as much as the vault does. */
describe("the strict S3 server", () => {
  let server: StrictS3;
  let bucket: string;
  before(async () => {
    server = await startStrictS3();
    bucket = await lockedBucket(server.endpoint);
  });
  after(() => server.close());

  /** Sends a request without an SDK. Gives the status and the error code. */
  async function ask(method: string, path: string, headers: Record<string, string> = {}, body = "") {
    const all: Record<string, string> = {
      "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
      ...headers,
    };
    const signed = Object.keys(all).filter((name) => name.startsWith("x-amz-"));
    const response = await fetch(`${server.endpoint}/${bucket}/${path}`, {
      method,
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;${signed.join(";")}, Signature=${"0".repeat(64)}`,
        ...all,
      },
      ...(method === "PUT" || method === "POST" ? { body } : {}),
    });
    const text = await response.text();
    const code = /<Code>(.*)<\/Code>/.exec(text)?.[1];
    return { is: code ? `${response.status} ${code}` : `${response.status}`, text, headers: response.headers };
  }

  test("a request without a signature, or with an unsigned header", async () => {
    const path = `${server.endpoint}/${bucket}/a`;
    assert.equal((await fetch(path, { method: "PUT", body: BODY })).status, 403);
    const { is } = await ask("PUT", "a", { ...md5, authorization: "AWS4-HMAC-SHA256 nothing" }, BODY);
    assert.equal(is, "403 AccessDenied");
    assert.equal(
      (await ask("PUT", "a", { ...md5, "x-amz-content-sha256": "0" }, BODY)).is,
      "400 XAmzContentSHA256Mismatch",
    );
  });

  test("a write needs the right digest", async () => {
    for (const [headers, expected] of [
      [{}, "400 InvalidRequest"],
      [md5, "200"],
      [{ "x-amz-checksum-sha256": digest("sha256", BODY) }, "200"],
      [{ "x-amz-checksum-sha1": digest("sha1", BODY) }, "200"],
      [{ "x-amz-checksum-crc32": crc.toString("base64") }, "200"],
      [{ "content-md5": digest("md5", "other") }, "400 BadDigest"],
      [{ "content-md5": "short" }, "400 InvalidDigest"],
      [{ "x-amz-checksum-sha256": digest("sha256", "other") }, "400 BadDigest"],
      [{ "x-amz-checksum-crc32": "AAAAAA==" }, "400 BadDigest"],
      [{ "x-amz-checksum-crc32": "AAAA" }, "400 InvalidRequest"],
      [{ "x-amz-checksum-crc32c": "AAAAAA==" }, "501 NotImplemented"],
      [{ ...md5, "x-amz-sdk-checksum-algorithm": "SHA256" }, "400 InvalidRequest"],
      [{ ...md5, "x-amz-trailer": "x-amz-checksum-crc32" }, "501 NotImplemented"],
      [{ ...md5, "content-encoding": "aws-chunked" }, "501 NotImplemented"],
      [{ ...md5, "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" }, "501 NotImplemented"],
    ] as const) {
      assert.equal((await ask("PUT", "digest", { ...headers }, BODY)).is, expected, JSON.stringify(headers));
    }
  });

  test("a lock needs a valid mode and a future date", async () => {
    for (const [headers, expected] of [
      [locked("GOVERNANCE", 60), "200"],
      [{ "x-amz-object-lock-mode": "GOVERNANCE" }, "400 InvalidArgument"],
      [locked("FOREVER", 60), "400 InvalidArgument"],
      [locked("GOVERNANCE", -60), "400 InvalidArgument"],
      [{ ...locked("GOVERNANCE", 60), "x-amz-object-lock-retain-until-date": "2099" }, "400 InvalidArgument"],
    ] as const) {
      assert.equal((await ask("PUT", "lock", { ...md5, ...headers }, BODY)).is, expected, JSON.stringify(headers));
    }
  });

  test("what locks and holds forbid", async () => {
    const put = await ask("PUT", "held", { ...md5, ...locked("GOVERNANCE", 600) }, BODY);
    const version = `held?versionId=${put.headers.get("x-amz-version-id")}`;
    const bypass = { "x-amz-bypass-governance-retention": "true" };
    const retain = async (mode: string, seconds: number, headers = {}) => {
      const xml = `<Retention><Mode>${mode}</Mode><RetainUntilDate>${until(seconds)}</RetainUntilDate></Retention>`;
      return (await ask("PUT", `${version}&retention`, { "content-md5": digest("md5", xml), ...headers }, xml)).is;
    };
    const hold = async (status: string) => {
      const xml = `<LegalHold><Status>${status}</Status></LegalHold>`;
      return (await ask("PUT", `${version}&legal-hold`, { "content-md5": digest("md5", xml) }, xml)).is;
    };
    assert.equal((await ask("DELETE", version)).is, "403 AccessDenied");
    assert.equal(await retain("GOVERNANCE", 60), "403 AccessDenied");
    assert.equal(await retain("COMPLIANCE", 900), "403 AccessDenied");
    assert.equal(await retain("GOVERNANCE", 900), "200");
    assert.equal(await retain("COMPLIANCE", 900, bypass), "200");
    assert.equal(await retain("COMPLIANCE", 60, bypass), "403 AccessDenied");
    assert.equal(await retain("GOVERNANCE", 9000, bypass), "403 AccessDenied");
    assert.equal((await ask("DELETE", version, bypass)).is, "403 AccessDenied");

    const free = await ask("PUT", "held", md5, BODY);
    const freeVersion = `held?versionId=${free.headers.get("x-amz-version-id")}`;
    assert.equal((await ask("GET", `${freeVersion}&retention`)).is, "404 NoSuchObjectLockConfiguration");
    assert.equal(await hold("ON"), "200");
    assert.match((await ask("GET", `${version}&legal-hold`)).text, /<Status>ON</);
    assert.equal((await ask("DELETE", freeVersion)).is, "204");
    assert.equal((await ask("DELETE", freeVersion)).is, "204");
  });

  test("a delete marker hides a key, and removing the marker shows it again", async () => {
    const put = await ask("PUT", "marked", md5, BODY);
    const marker = (await ask("DELETE", "marked")).headers.get("x-amz-version-id");
    assert.equal((await ask("GET", "marked")).is, "404 NoSuchKey");
    assert.equal((await ask("GET", `marked?versionId=${marker}`)).is, "405 MethodNotAllowed");
    assert.equal((await ask("GET", `marked?versionId=${put.headers.get("x-amz-version-id")}`)).text, BODY);
    assert.match((await ask("GET", "?versions&prefix=marked")).text, /<DeleteMarker>.*<IsLatest>true<.*<Version>/s);
    assert.doesNotMatch((await ask("GET", "?list-type=2&prefix=marked")).text, /<Contents>/);
    assert.equal(
      (await ask("PUT", "marked", { ...md5, "if-match": put.headers.get("etag")! }, BODY)).is,
      "404 NoSuchKey",
    );
    await ask("DELETE", `marked?versionId=${marker}`);
    assert.equal((await ask("GET", "marked")).text, BODY);
    assert.equal((await ask("PUT", "marked", { ...md5, "if-none-match": "*" }, BODY)).is, "412 PreconditionFailed");
  });

  test("an upload consists of the parts that its completion names, and all but the last must be large", async () => {
    const created = await ask("POST", "parts?uploads", { "x-amz-checksum-algorithm": "SHA256" });
    const id = /<UploadId>(.*)<\/UploadId>/.exec(created.text)?.[1];
    const checksum = digest("sha256", BODY);
    const part = (number: number, headers: Record<string, string>) =>
      ask("PUT", `parts?partNumber=${number}&uploadId=${id}`, headers, BODY);
    assert.equal((await part(1, {})).is, "400 InvalidRequest");
    assert.equal((await part(1, md5)).is, "400 InvalidRequest");
    const etag = (await part(1, { "x-amz-checksum-sha256": checksum })).headers.get("etag");
    await part(2, { "x-amz-checksum-sha256": checksum });
    const named = (number: number, extra = `<ChecksumSHA256>${checksum}</ChecksumSHA256>`) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag>${extra}</Part>`;
    for (const [parts, expected] of [
      ["", "400 MalformedXML"],
      [named(3), "400 InvalidPart"],
      [named(1, ""), "400 InvalidRequest"],
      [named(1) + named(2), "400 EntityTooSmall"],
      [named(2) + named(1), "400 EntityTooSmall"],
      [named(2), "200"],
      [named(2), "404 NoSuchUpload"],
    ] as const) {
      const xml = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
      assert.equal((await ask("POST", `parts?uploadId=${id}`, {}, xml)).is, expected);
    }
    assert.equal((await ask("GET", "parts")).text, BODY);
  });

  test("it refuses what it does not support", async () => {
    for (const path of ["a?acl", "a?tagging", "?policy", "?list-type=2&delimiter=/"]) {
      assert.equal((await ask("GET", path)).is, "501 NotImplemented", path);
    }
  });
});
