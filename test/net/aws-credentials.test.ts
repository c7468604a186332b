import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { lockedBucket } from "../servers/s3.ts";
import { startStrictS3 } from "../servers/strict-s3.ts";

/** Keys only in a profile file, as a rotating agent writes it. */
const profile = (id: string) => `[default]\naws_access_key_id = ${id}\naws_secret_access_key = secret-of-${id}\n`;

test("credentials rotated during a run: refused once, reloaded, and nothing is lost", async () => {
  await using server = Object.assign(await startStrictS3(), { [Symbol.asyncDispose]: () => server.close() });
  await using sandbox = await startSandbox({ identities: 12, plainImages: true });
  await using place = await makeWorkplace(sandbox, { init: false });
  const bucket = await lockedBucket(server.endpoint);
  await place.configure({
    vault: { url: `s3://${bucket}/acme-bank`, endpoint: server.endpoint, forcePathStyle: true },
  });
  const file = place.path("credentials");
  const env = {
    ...{ AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: place.path("none"), AWS_EC2_METADATA_DISABLED: "true" },
    ...{ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_PROFILE: undefined },
  };
  let valid = "OLDKEY";
  let refused = 0;
  server.intercept((request, response) => {
    if (request.headers.authorization?.includes(`Credential=${valid}/`)) return false;
    refused += 1;
    const body = "<Error><Code>InvalidAccessKeyId</Code><Message>no such key</Message></Error>";
    request.resume().on("end", () => response.writeHead(403, { "content-type": "application/xml" }).end(body));
    return true;
  });
  await writeFile(file, profile("OLDKEY"));
  const init = await place.holdfast("init", [], { env });
  assert.equal(init.code, 0, init.stderr);
  let asked = 0;
  sandbox.intercept(() => {
    asked += 1;
    if (asked === 20) {
      writeFileSync(`${file}.new`, profile("NEWKEY"));
      renameSync(`${file}.new`, file);
      valid = "NEWKEY";
    }
    return false;
  });
  const ended = await place.holdfast("export", ["--json"], { env });
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(refused > 0, "the old key was never refused, so the test proves nothing");
  server.intercept(() => false);
  assert.equal((await place.entries("record.stored")).length, 12);
});

test("no credentials: the error says where Holdfast looked", async () => {
  await using server = Object.assign(await startStrictS3(), { [Symbol.asyncDispose]: () => server.close() });
  await using sandbox = await startSandbox({ identities: 1 });
  await using place = await makeWorkplace(sandbox, { init: false });
  const bucket = await lockedBucket(server.endpoint);
  await place.configure({
    vault: { url: `s3://${bucket}/acme-bank`, endpoint: server.endpoint, forcePathStyle: true },
  });
  const nowhere = { AWS_SHARED_CREDENTIALS_FILE: "/none", AWS_CONFIG_FILE: "/none", AWS_EC2_METADATA_DISABLED: "true" };
  const ended = await place.holdfast("init", [], {
    env: { ...nowhere, AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
  });
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /no S3 credentials found; looked at: environment, shared profile/);
});
