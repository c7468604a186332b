import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  PutPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import { makeWorkplace } from "../export/workplace.ts";
import { FaultPlace } from "../faults/place.ts";
import { workOnDisk } from "../memory.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { cephEndpoint, s3Client, withoutCeph } from "../servers/s3.ts";
import { assertLines, diagnosed, lines } from "./diagnosed.ts";

workOnDisk();

describe("doctor on Ceph RGW", { skip: withoutCeph }, () => {
  const s3 = s3Client();
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await startSandbox({ identities: 3, plainImages: true });
  });
  after(async () => {
    s3.destroy();
    await sandbox.close();
  });

  async function place(): Promise<FaultPlace & { bucket: string }> {
    const made = new FaultPlace(await makeWorkplace(sandbox, { vault: "ceph" }), sandbox);
    await made.export();
    const { vault } = await made.work.client();
    return Object.assign(made, { bucket: vault.kind === "s3" ? vault.bucket : assert.fail() });
  }

  /** A place whose vault is a bucket of another kind, with nothing in it. */
  async function empty(Bucket: string): Promise<FaultPlace> {
    const vault = { url: `s3://${Bucket}/acme`, endpoint: cephEndpoint, forcePathStyle: true };
    return new FaultPlace(await makeWorkplace(sandbox, { client: { vault }, init: false }), sandbox);
  }

  const versions = async (Bucket: string): Promise<string[]> => {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    return [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => `${Key} ${VersionId}`).sort();
  };

  /** What this server cannot do, and that the tests' key may do everything. */
  const ALWAYS = [/source: .*sandbox/, /bucket: no default encryption/];
  const RIGHTS = [
    /read the sealed records back/,
    /delete versions/,
    /hide objects/,
    /lift governance locks/,
    /lift legal holds/,
  ];

  test("a good bucket: no failure, the probe is gone, and the vault is as it was", async () => {
    await using made = await place();
    await s3.send(
      new PutPublicAccessBlockCommand({
        Bucket: made.bucket,
        PublicAccessBlockConfiguration: {
          // With BlockPublicAcls this server refuses every write (RGW 16).
          ...{ BlockPublicAcls: false, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
        },
      }),
    );
    await s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: made.bucket,
        LifecycleConfiguration: {
          Rules: [
            {
              ...{ ID: "uploads", Status: "Enabled", Filter: { Prefix: "" } },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            },
          ],
        },
      }),
    );
    const before = await versions(made.bucket);
    const found = await diagnosed(made);
    assertLines(lines(found, "warning", "failure"), ...ALWAYS, ...RIGHTS, /Block Public Access is only partly on/);
    const ok = lines(found, "ok").join("\n");
    for (const said of [/Object Lock works/, /probe was deleted/, /locked as long as required/]) assert.match(ok, said);
    assert.deepEqual(await versions(made.bucket), before);
    await made.isWhole();
  });

  test("rights that the bucket's policy takes away are not found", async () => {
    await using made = await place();
    const arn = `arn:aws:s3:::${made.bucket}`;
    const deny = (Action: string[], Resource: string) => ({ Effect: "Deny", Principal: "*", Action, Resource });
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        deny(["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectLegalHold"], `${arn}/*`),
        deny(["s3:BypassGovernanceRetention"], `${arn}/*`),
        deny(["s3:GetObject", "s3:GetObjectVersion"], `${arn}/acme-bank/records/*`),
      ],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket: made.bucket, Policy }));
    const found = await diagnosed(made);
    const ok = lines(found, "ok").join("\n");
    for (const said of [/may not read records back/, /may not delete versions/, /may not hide/, /may not lift legal/])
      assert.match(ok, said);
    assert.match(ok, /may not lift governance/);
    // It accepts one more that a strict store would refuse. It refuses a wrong checksum, because the checksum is signed.
    assert.match(ok, /store rejects corrupted uploads/);
    assert.match(ok, /2 probes of some 47 bytes stay at acme-bank\/doctor-probe/);
  });

  test("a default of years in compliance mode: the probe can be deleted all the same, and is", async () => {
    const Bucket = `t-${randomBytes(6).toString("hex")}`;
    await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    await s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: "Enabled",
          Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: 1 } },
        },
      }),
    );
    await using made = await empty(Bucket);
    const found = await diagnosed(made);
    assert.match(lines(found, "warning").join("\n"), /the default locks objects for 1 days in compliance mode/);
    assert.ok(lines(found, "ok").includes("store: the probe was deleted"));
    assert.deepEqual(await versions(Bucket), []);
  });

  test("a bucket without Object Lock, with versioning off, on and suspended; none at all", async () => {
    const Bucket = `t-${randomBytes(6).toString("hex")}`;
    await s3.send(new CreateBucketCommand({ Bucket }));
    await using made = await empty(Bucket);
    const failures = async () =>
      lines(await diagnosed(made), "failure").filter((line) => !/^(secrets|keys)/.test(line));
    const none = /vault: not initialized: there is no vault at /;
    assertLines(await failures(), none, /bucket: versioning is off/, /bucket: Object Lock is off/);
    for (const [Status, ...expected] of [
      ["Enabled", /bucket: Object Lock is off/],
      ["Suspended", /bucket: versioning is suspended/, /bucket: Object Lock is off/],
    ] as const) {
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
      assertLines(await failures(), none, ...expected);
    }
    // Where nothing can be taken back, nothing was written.
    assert.deepEqual(await versions(Bucket), []);
    await made.work.configure({ vault: { url: `s3://${Bucket}-not-there/acme` } });
    assertLines(await failures(), /no such bucket|not a vault yet/, /bucket: GET versioning: no such bucket/);
  });

  test("what people see: on a terminal's stdout, as JSON, and in the exit code", async () => {
    await using made = await place();
    const text = await made.work.holdfast("doctor");
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, /^this machine\n.*\nacme-bank {2}s3:.*\n {2}ok {7}secrets {3}source\.apiKey/s);
    assert.match(text.stdout, /\n0 failures, \d+ warnings, \d+ ok\n$/);
    const json = await made.work.holdfast("doctor", ["--json"]);
    const { command, failures, clients } = json.json as Record<string, unknown> & { clients: { client: string }[] };
    assert.deepEqual(
      [json.code, command, failures, clients.map(({ client }) => client)],
      [0, "doctor", 0, ["acme-bank"]],
    );

    const wrong = await made.work.holdfast("doctor", [], { env: { AWS_SECRET_ACCESS_KEY: "canary-wrong" } });
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.stdout,
      /FAILURE +bucket +GET versioning: the S3 credentials were refused.*\n +→ Give the AWS SDK/,
    );
    await made.work.configure({ lookups: { key: "canary-literal" } });
    const config = await made.work.holdfast("doctor", ["--json"]);
    assert.equal(config.code, 2);
    for (const { stdout, stderr } of [text, json, wrong, config])
      for (const canary of [...sandbox.canaries(), "canary-wrong", "canary-literal", "testtest"])
        assert.ok(!`${stdout}${stderr}`.includes(canary), canary);
  });
});
