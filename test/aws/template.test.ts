import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { onPath } from "../servers/ceph.ts";
import { allowing, list } from "./policy.ts";
import { BUCKET, hardener, PREFIX, PURGER, ROLES, type Role, rules } from "./roles.ts";
import { FILE, resolveTemplate } from "./template.ts";

const KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d";

test("CloudFormation's linter reports nothing", {
  skip: onPath("cfn-lint") ? false : "cfn-lint is not installed",
}, () => {
  assert.equal(execFileSync("cfn-lint", ["--include-checks", "I", "--", FILE], { encoding: "utf8" }), "");
});

test("parameters that would change the template's meaning are refused", () => {
  const good = { BucketName: BUCKET, PurgerArn: PURGER };
  resolveTemplate(good);
  resolveTemplate({ ...good, KmsKeyArn: KEY, Prefix: "a/b_c-1" });
  for (const bad of [
    { ...good, BucketName: "*" },
    { ...good, Prefix: "holdfast/" },
    { ...good, Prefix: "" },
    { ...good, Prefix: "*" },
    { ...good, PurgerArn: "*" },
    { ...good, KmsKeyArn: "*" },
    { BucketName: BUCKET },
  ]) {
    assert.throws(() => resolveTemplate(bad));
  }
});

test("the bucket keeps what is put into it", () => {
  const { Bucket } = resolveTemplate({ BucketName: BUCKET, PurgerArn: PURGER }).Resources;
  const { Properties, ...rest } = Bucket as unknown as { Properties: Record<string, unknown>; DeletionPolicy: string };
  assert.equal(rest.DeletionPolicy, "Retain");
  assert.equal(Properties.ObjectLockEnabled, true);
  assert.deepEqual(Properties.VersioningConfiguration, { Status: "Enabled" });
  assert.ok(Object.values(Properties.PublicAccessBlockConfiguration as object).every((on) => on === true));
  const { Rules } = Properties.LifecycleConfiguration as { Rules: Record<string, unknown>[] };
  // Lifecycle rules may only delete leases that were given up, and doctor's probes.
  for (const { Prefix, Expiration, NoncurrentVersionExpiration } of Rules) {
    assert.equal(Expiration, undefined);
    if (NoncurrentVersionExpiration)
      assert.ok([`${PREFIX}/lease.json`, `${PREFIX}/doctor-probe`].includes(String(Prefix)));
  }
});

test("each policy fits IAM's limits, has no wildcard action, and covers only this vault", () => {
  for (const kms of ["", KEY]) {
    for (const role of ROLES) {
      const { own } = rules(role, { KmsKeyArn: kms });
      assert.ok(JSON.stringify(own).length <= 6_144);
      assert.equal(own.Version, "2012-10-17");
      for (const { Action, Resource, Effect } of own.Statement) {
        assert.equal(Effect, "Allow");
        for (const action of list(Action)) assert.match(action, /^(s3|kms):[A-Za-z]+$/);
        for (const resource of list(Resource))
          assert.ok(
            resource === `arn:aws:s3:::${BUCKET}` ||
              resource.startsWith(`arn:aws:s3:::${BUCKET}/${PREFIX}/`) ||
              resource === KEY,
            resource,
          );
      }
    }
  }
  assert.ok(JSON.stringify(rules("Exporter").bucket).length <= 20_480);
});

test("what each role must not do, even if an attacker controls it", () => {
  const record = `${PREFIX}/records/9c/${"9c".repeat(16)}/v.age`;
  const file = `${PREFIX}/files/9c/${"9c".repeat(16)}/f.age`;
  const note = `${PREFIX}/notes/9c/${"9c".repeat(16)}/n.age`;
  const log = `${PREFIX}/audit/checkpoint`;
  const vault = `${PREFIX}/vault.json`;
  const everything = [record, file, note, log, vault, `${PREFIX}/lease.json`];
  const never: [Role | "administrator", string, readonly string[], Record<string, string>?][] = [
    ...ROLES.map((role) => [role, "s3:BypassGovernanceRetention", everything] as [Role, string, string[]]),
    ...ROLES.map((role) => [role, "s3:DeleteObject", everything] as [Role, string, string[]]),
    ["Exporter", "s3:GetObject", [record, file, note]],
    ["Exporter", "s3:GetObjectVersion", [record, file, note]],
    ["Exporter", "s3:DeleteObjectVersion", everything],
    ["Exporter", "s3:PutObjectLegalHold", everything, { "s3:object-lock-legal-hold": "OFF" }],
    ["Exporter", "s3:PutObject", ["elsewhere/x", "x"]],
    ["Exporter", "s3:PutObjectRetention", [record], { "s3:object-lock-remaining-retention-days": "3661" }],
    ["Exporter", "s3:PutObject", [record], { "s3:object-lock-mode": "COMPLIANCE" }],
    ["Retriever", "s3:PutObject", [record, file, vault]],
    ["Retriever", "s3:DeleteObjectVersion", everything],
    ["Retriever", "s3:GetObjectVersion", [note]],
    ["Purger", "s3:PutObject", [record, file, vault]],
    ["Purger", "s3:DeleteObjectVersion", [log, vault]],
    ["Purger", "s3:PutObjectRetention", [record, file]],
    ["Verifier", "s3:PutObject", everything],
    ["Verifier", "s3:PutObjectRetention", everything],
    ["Verifier", "s3:DeleteObjectVersion", everything],
    // For a role that is allowed everything else, the bucket policy must deny it.
    ["administrator", "s3:BypassGovernanceRetention", everything],
    ["administrator", "s3:DeleteObject", [record, file, note, log, vault]],
    ["administrator", "s3:DeleteObjectVersion", [record, file, note, log, vault]],
    ["administrator", "s3:PutObjectLegalHold", [record], { "s3:object-lock-legal-hold": "OFF" }],
    ["administrator", "s3:PutObjectRetention", [record], { "s3:object-lock-mode": "COMPLIANCE" }],
    ["administrator", "s3:GetObject", [record], { "aws:SecureTransport": "false" }],
    ["administrator", "s3:GetObject", [record], { "s3:TlsVersion": "1.1" }],
  ];
  const all = {
    Version: "2012-10-17",
    Statement: [{ Sid: "All", Effect: "Allow", Action: "s3:*", Resource: "*" }],
  } as const;
  for (const [role, action, keys, more = {}] of never) {
    const { own, bucket, principal } = rules(role === "administrator" ? "Exporter" : role);
    for (const key of keys) {
      const context = { "aws:PrincipalArn": principal, "aws:SecureTransport": "true", "s3:TlsVersion": "1.3", ...more };
      const ask = { action, resource: `arn:aws:s3:::${BUCKET}/${key}`, context };
      assert.equal(allowing(role === "administrator" ? all : own, bucket, ask), undefined, `${role} ${action} ${key}`);
    }
  }
  // A check of the test itself: what is not denied is allowed.
  const { bucket } = rules("Exporter");
  const context = { "aws:PrincipalArn": PURGER, "aws:SecureTransport": "true", "s3:TlsVersion": "1.2" };
  assert.ok(
    allowing(all, bucket, { action: "s3:DeleteObjectVersion", resource: `arn:aws:s3:::${BUCKET}/${record}`, context }),
  );
});

test("only a vault with compliance locks allows them", () => {
  const at = { "aws:SecureTransport": "true", "s3:object-lock-mode": "COMPLIANCE" };
  const ask = { action: "s3:PutObjectRetention", resource: `arn:aws:s3:::${BUCKET}/${PREFIX}/records/x`, context: at };
  for (const [mode, allowed] of [
    ["governance", false],
    ["compliance", true],
  ] as const) {
    const { own, bucket } = rules("Exporter", { LockMode: mode });
    assert.equal(allowing(own, bucket, ask) !== undefined, allowed);
  }
});

test("a hardener makes locks stronger and cannot lift any", () => {
  const { own, bucket, principal } = hardener();
  const allowed = (action: string, more: Record<string, string> = {}) => {
    const context = { "aws:PrincipalArn": principal, "aws:SecureTransport": "true", ...more };
    return (
      allowing(own, bucket, { action, resource: `arn:aws:s3:::${BUCKET}/${PREFIX}/records/x`, context }) !== undefined
    );
  };
  const bypass = "s3:BypassGovernanceRetention";
  assert.ok(allowed(bypass, { "s3:object-lock-mode": "COMPLIANCE" }));
  assert.ok(!allowed(bypass, { "s3:object-lock-mode": "GOVERNANCE" }));
  // A deletion has no mode.
  assert.ok(!allowed(bypass));
  assert.ok(!allowed("s3:DeleteObjectVersion"));
});

test("the README's table names each action of each policy", () => {
  const text = readFileSync(join(FILE, "../README.md"), "utf8");
  for (const role of ROLES) {
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    for (const action of rules(role, { KmsKeyArn: KEY }).own.Statement.flatMap(({ Action }) => list(Action))) {
      assert.ok(
        rows.some((row) => row.includes(`\`${action}\``)),
        `${action} of ${role} is not explained`,
      );
    }
  }
});
