import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../../src/core/clock.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { checkVault } from "../../src/doctor/vault.ts";
import { readDescription } from "../../src/vault/description.ts";
import { openVault } from "../../src/vault/open.ts";
import { brief, type FaultPlace, makePlace } from "../faults/place.ts";
import { workOnDisk } from "../memory.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { lockedBucket } from "../servers/s3.ts";
import { ABORTS, type Settings } from "../servers/strict-s3/settings.ts";
import type { StrictOptions } from "../servers/strict-s3/store.ts";
import { type Rights, type StrictS3, startStrictS3 } from "../servers/strict-s3.ts";
import { assertLines, diagnosed, lines } from "./diagnosed.ts";

workOnDisk();

/** What an exporter needs, and no more. */
const exporter: Rights = ({ operation, key, query, headers }) => {
  if (operation === "DeleteObject" || operation === "PutObjectLegalHold") return false;
  if (headers["x-amz-bypass-governance-retention"]) return false;
  if (operation === "HeadObject" || operation === "GetObject") return !/\/(records|files)\//.test(`/${key}`);
  return query !== undefined;
};

describe("doctor on a store as strict as AWS", () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await startSandbox({ identities: 3, plainImages: true });
  });
  after(() => sandbox.close());

  /** A place whose vault is on a strict server that becomes `options` after it was filled. */
  async function place(options: StrictOptions = {}): Promise<{ place: FaultPlace; s3: StrictS3 } & AsyncDisposable> {
    const s3 = await startStrictS3(options);
    const url = `s3://${await lockedBucket(s3.endpoint)}/acme`;
    const made = await makePlace(sandbox, { vault: { url, endpoint: s3.endpoint, forcePathStyle: true } });
    return {
      ...{ place: made, s3 },
      [Symbol.asyncDispose]: async () => {
        await made[Symbol.asyncDispose]();
        await s3.close();
      },
    };
  }

  const ofSettings = async (settings: Settings): Promise<string[]> => {
    await using made = await place({ settings });
    const found = await diagnosed(made.place);
    return lines(
      found.filter(({ check }) => check === "bucket" || check === "lifecycle"),
      "warning",
      "failure",
    );
  };

  test("an exporter with its own rights, in a bucket as it should be: nothing to fix", async () => {
    await using made = await place();
    await made.place.export();
    made.s3.grant(exporter);
    const found = await diagnosed(made.place);
    assertLines(lines(found, "warning", "failure"), /sandbox/);
    const ok = lines(found, "ok").join("\n");
    for (const said of [
      /secrets: log\.key is there/,
      /bucket: versioning is on/,
      /bucket: default encryption AES256/,
      /bucket: public access is blocked/,
      /lifecycle: a rule aborts unfinished uploads/,
      /rights: may not read records back/,
      /rights: may not delete versions/,
      /rights: may not hide objects/,
      /rights: may not lift governance locks/,
      /rights: may not lift legal holds/,
      /store: Object Lock works/,
      /store: the store rejects corrupted uploads/,
      /If-None-Match\): supported/,
      /If-Match\): supported/,
      /store: a probe of 47 bytes stays at acme\/doctor-probe, unlocked after/,
      /locks: \d of \d checked objects are locked/,
      /keys: the log key is the vault's/,
      /keys: the lookup key is the vault's/,
      /clock: agrees with the S3 server/,
    ]) {
      assert.match(ok, said);
    }
    // One small write, under a governance lock of a minute; nothing else in the vault was touched.
    const writes = made.s3.seen.filter(
      ({ operation, key }) => operation === "PutObject" && key === "acme/doctor-probe",
    );
    for (const { headers } of writes) {
      assert.equal(headers["x-amz-object-lock-mode"], "GOVERNANCE");
      const left = Date.parse(String(headers["x-amz-object-lock-retain-until-date"])) - Date.now();
      assert.ok(left < 62_000, `${left} ms`);
    }
    const vault = await made.place.work.vault();
    const probes = await Array.fromAsync(vault.versions("doctor-probe"));
    assert.equal(probes.length, 1);
    made.s3.grant(() => true);
    await made.place.isWhole();
  });

  test("credentials that may do everything: a warning for each right too many, and nothing is left", async () => {
    await using made = await place();
    await made.place.export();
    const before = await versionsOf(made.place);
    const found = await diagnosed(made.place);
    assertLines(
      lines(found, "warning", "failure"),
      /sandbox/,
      /rights: may read the sealed records back/,
      /rights: may delete versions/,
      /rights: may hide objects/,
      /rights: may lift governance locks/,
      /rights: may lift legal holds/,
    );
    const holds = found.find(({ text }) => /legal holds/.test(text));
    assert.match(holds!.text, /s3:PutObjectLegalHold is allowed without a condition$/);
    assert.match(String(holds!.hint), /only where s3:object-lock-legal-hold is ON/);
    assert.ok(lines(found, "ok").includes("store: the probe was deleted"));
    assert.deepEqual(await versionsOf(made.place), before);
  });

  test("each right too many is told from the others", async () => {
    await using made = await place();
    await made.place.export();
    const also: [RegExp, Rights][] = [
      [/^rights: may read the sealed records back/, ({ operation }) => operation === "HeadObject"],
      [
        /^rights: may read the sealed records back/,
        ({ operation, query }) => operation === "HeadObject" && query.has("versionId"),
      ],
      [
        /^rights: may delete versions/,
        (asked) =>
          asked.operation === "DeleteObject" &&
          asked.query.has("versionId") &&
          !asked.headers["x-amz-bypass-governance-retention"],
      ],
      [/^rights: may hide objects/, ({ operation, query }) => operation === "DeleteObject" && !query.has("versionId")],
      [/^rights: may lift governance locks/, ({ operation }) => operation === "PutObjectRetention"],
      [/^rights: may lift legal holds/, ({ operation }) => operation === "PutObjectLegalHold"],
    ];
    for (const [expected, right] of also) {
      made.s3.grant((asked) => exporter(asked) || right(asked));
      assertLines(lines(await diagnosed(made.place), "warning", "failure"), /sandbox/, expected);
    }
  });

  test("each right that an exporter needs and lacks is named", async () => {
    await using made = await place();
    await made.place.export();
    for (const [operation, expected] of [
      ["PutObject", /^store: cannot store a locked object: PUT the probe: refused/],
      ["GetBucketVersioning", /^bucket: GET versioning: refused/],
      ["GetObjectLockConfiguration", /^bucket: GET Object Lock: refused/],
    ] as const) {
      made.s3.grant((asked) => asked.operation !== operation && exporter(asked));
      assertLines(lines(await diagnosed(made.place), "failure"), expected);
    }
    // What only doctor looks at is a warning.
    for (const [operation, expected] of [
      ["GetBucketEncryption", /^bucket: default encryption: could not check.*s3:GetEncryptionConfiguration/],
      ["GetPublicAccessBlock", /^bucket: public access: could not check.*s3:GetBucketPublicAccessBlock/],
      ["GetBucketLifecycleConfiguration", /^lifecycle: rules: could not check.*s3:GetLifecycleConfiguration/],
    ] as const) {
      made.s3.grant((asked) => asked.operation !== operation && exporter(asked));
      assertLines(lines(await diagnosed(made.place), "warning", "failure"), /sandbox/, expected);
    }
  });

  test("what an administrator left unset, or set wrongly", async () => {
    assertLines(await ofSettings({}));
    assertLines(await ofSettings({ encryption: null }), /no default encryption/);
    assertLines(await ofSettings({ publicAccessBlock: null }), /Block Public Access is off/);
    assertLines(
      await ofSettings({ publicAccessBlock: [true, true, false, true] }),
      /Block Public Access is only partly on/,
    );
    assertLines(await ofSettings({ public: true }), /policy makes it public/);
    assertLines(await ofSettings({ lifecycle: null }), /no rule aborts unfinished uploads/);
    assertLines(
      await ofSettings({ retention: "<Mode>COMPLIANCE</Mode><Days>400</Days>" }),
      /the default locks objects for 400 days in compliance mode/,
    );
    const rule = (prefix: string, what: string) =>
      `<Rule><ID>r</ID><Filter><Prefix>${prefix}</Prefix></Filter><Status>Enabled</Status>${what}</Rule>`;
    const expires = "<Expiration><Days>30</Days></Expiration>";
    const noncurrent = "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    for (const prefix of ["", "ac", "acme/", "acme/records/"]) {
      assertLines(
        await ofSettings({ lifecycle: ABORTS + rule(prefix, expires) }),
        /a rule deletes what must be kept \(r\)/,
      );
    }
    assertLines(await ofSettings({ lifecycle: ABORTS + rule("acme/audit/", noncurrent) }), /deletes what must be kept/);
    for (const harmless of [
      rule("other/", expires),
      rule("acme/lease.json", noncurrent),
      rule("acme/doctor-probe", expires),
    ]) {
      assertLines(await ofSettings({ lifecycle: ABORTS + harmless }));
    }
    assertLines(
      await ofSettings({ lifecycle: ABORTS.replace("<Prefix></Prefix>", "<Prefix>other/</Prefix>") }),
      /no rule aborts/,
    );
    assertLines(await ofSettings({ lifecycle: ABORTS.replace("Enabled", "Disabled") }), /no rule aborts/);
  });

  /** The findings about a store that has become another since `init`. */
  async function ofStore(options: StrictOptions): Promise<string[]> {
    await using made = await place();
    await using other = await startStrictS3Disposable(options);
    const bucket = await lockedBucket(other.server.endpoint);
    const { description } = await readDescription(await made.place.work.vault());
    const { vault, ...client } = await made.place.work.client();
    assert.ok(vault.kind === "s3");
    const config = { ...client, vault: { ...vault, bucket, endpoint: other.server.endpoint } };
    const opened = await openVault(config.vault);
    const found: Finding[] = await checkVault({
      ...{ config, vault: opened, now: systemClock, retry: brief.retry! },
      description,
    });
    await opened.close();
    return lines(
      found.filter(({ check }) => check === "store"),
      "warning",
      "failure",
    );
  }

  test("a store that does not keep what it promises", async () => {
    assertLines(await ofStore({}));
    assertLines(await ofStore({ putLocks: false }), /accepts a lock but does not keep it/);
    assertLines(await ofStore({ enforced: false }), /a locked version can be deleted/);
    assertLines(await ofStore({ checksums: false }), /accepts a body that does not match its Content-MD5/);
    assertLines(await ofStore({ versionIds: false }), /returns no version id/);
    for (const conditionals of ["ignored", "refused"] as const) {
      assertLines(
        await ofStore({ conditionals }),
        /If-None-Match\): (not|no longer) supported/,
        /If-Match\): (not|no longer) supported/,
      );
    }
  });

  test("no bucket, no server, credentials that are refused: said once", async () => {
    await using made = await place();
    const url = (changes: object) => made.place.work.configure({ vault: changes });
    await url({ url: "s3://no-such-bucket/acme" });
    const bucket = (found: readonly Finding[]) => lines(found, "failure").filter((line) => line.startsWith("bucket"));
    assertLines(bucket(await diagnosed(made.place)), /no such bucket/);
    await url({ endpoint: "http://127.0.0.1:9" });
    const down = lines(await diagnosed(made.place), "failure");
    assertLines(
      down.filter((line) => /^(bucket|vault)/.test(line)),
      /cannot reach the S3 endpoint http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\)/,
    );
  });

  test("the store's clock", async () => {
    for (const [seconds, level, expected] of [
      // Less by what the answer took.
      [20, "ok", /clock: (1\d|2[01]) s behind the S3 server/],
      [-90, "warning", /clock: (89|9\d) s ahead of the S3 server/],
      [600, "failure", /clock: (59\d|60[01]) s behind the S3 server/],
    ] as const) {
      await using made = await place({ now: () => Date.now() + seconds * 1000 });
      made.s3.intercept((_, response) => {
        response.setHeader("date", new Date(Date.now() + seconds * 1000).toUTCString());
        return false;
      });
      const found = await diagnosed(made.place);
      assert.match(lines(found, level).join("\n"), expected);
      // By the store's own time the probe's lock is to come all the same.
      assert.ok(lines(found, "ok").some((line) => line.startsWith("store: Object Lock works") || seconds === 600));
    }
  });
});

async function startStrictS3Disposable(options: StrictOptions) {
  const server = await startStrictS3(options);
  return { server, [Symbol.asyncDispose]: () => server.close() };
}

async function versionsOf(place: FaultPlace): Promise<string[]> {
  const versions = await Array.fromAsync((await place.work.vault()).versions(""));
  return versions.map(({ key, versionId, deleteMarker }) => `${key} ${versionId} ${deleteMarker}`).sort();
}
