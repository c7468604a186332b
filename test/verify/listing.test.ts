import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, before, describe, test } from "node:test";
import { DeleteObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { RecordStored } from "../../src/audit/entry.ts";
import { CLIENT } from "../export/workplace.ts";
import { lockedBucket, s3Client } from "../servers/s3.ts";
import { document, element } from "../servers/strict-s3/answer.ts";
import { type StrictS3, startStrictS3 } from "../servers/strict-s3.ts";
import { makeScene, type Scene } from "./scene.ts";

let server: StrictS3;
let scene: Scene;
let s3: S3Client;
let bucket: string;
let stored: RecordStored;
before(async () => {
  server = await startStrictS3({ pageSize: 7 });
  bucket = await lockedBucket(server.endpoint);
  const url = `s3://${bucket}/${CLIENT}`;
  scene = await makeScene({ client: { vault: { url, endpoint: server.endpoint, forcePathStyle: true } } }, 2);
  s3 = s3Client(server.endpoint);
  stored = (await scene.place.entries("record.stored"))[0]!;
});
after(async () => {
  s3.destroy();
  await scene[Symbol.asyncDispose]();
  await server.close();
});

/** Answers listings of this prefix with these versions, and all other requests as the server does. */
async function listing(prefix: string, versions: readonly { key: string; id: string; size: number }[]) {
  server.intercept((request: IncomingMessage, response: ServerResponse) => {
    const { searchParams } = new URL(request.url!, "http://localhost");
    if (!searchParams.has("versions") || searchParams.get("prefix") !== `${CLIENT}/${prefix}`) return false;
    const { body, headers } = document("ListVersionsResult", [
      element("IsTruncated", false),
      ...versions.map(({ key, id, size }) =>
        element("Version", [
          ...[element("Key", `${CLIENT}/${key}`), element("VersionId", id), element("Size", size)],
          element("IsLatest", true),
        ]),
      ),
    ]);
    response.writeHead(200, headers).end(body);
    return true;
  });
  return { [Symbol.dispose]: () => server.intercept(() => false) };
}

describe("a listing that is wrong is no loss, and not fine either", () => {
  test("it lists nothing below records/: everything is there, but code 3 says what could not be checked", async () => {
    using _ = await listing("records/", []);
    const { exit, named, orphans, thrown } = await scene.verify({ readData: 0 });
    assert.deepEqual([exit, named.length, orphans], [3, 1, []]);
    assert.match(String(thrown), /the store's listing is wrong about \d+ objects that are there as logged/);
    const seen = await scene.place.here("verify", [], { isTerminal: true });
    assert.equal(seen.code, 3);
    assert.match(seen.stderr, /acme-bank: could not check everything: the store's listing is wrong/);
    assert.match(seen.stderr, / {2}unlisted {2}\d+ objects as logged, which the store's listing leaves out/);
    assert.doesNotMatch(seen.stderr, /all is well/);
    const status = await scene.place.here("status", []);
    assert.match(
      status.stdout + status.stderr,
      /! verified .*could not check everything: the store's listing was wrong/,
    );
    // The listing's fault counts as none of the objects': nothing is remembered as faulty.
    const looked = await readFile(scene.place.path("state", CLIENT, "locks-looked-at.json"), "utf8");
    assert.deepEqual(JSON.parse(looked).faulty, []);
  });

  test("it gives another size than the object has", async () => {
    const { key, versionId, size } = stored.object;
    using _ = await listing("records/", [{ key, id: versionId, size: size + 1 }]);
    const { exit, named } = await scene.verify({ readData: 0 });
    assert.deepEqual([exit, named.length], [3, 1]);
  });

  test("it leaves out what is really gone: that object is missing, by its own answer, and no other", async () => {
    const { object } = stored;
    await s3.send(
      new DeleteObjectCommand({
        ...{ Bucket: bucket, Key: `${CLIENT}/${object.key}`, VersionId: object.versionId },
        BypassGovernanceRetention: true,
      }),
    );
    using _ = await listing("records/", []);
    const { exit, named } = await scene.verify({ readData: 0 });
    assert.deepEqual([exit, named], [4, [object.key]]);
  });
});
