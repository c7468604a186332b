import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CreateBucketCommand, DeleteObjectCommand } from "@aws-sdk/client-s3";
import { backfillClients } from "../../jobs/backfill.ts";
import { diagnosisText, doctor } from "../../jobs/doctor.ts";
import { exportClients } from "../../jobs/export.ts";
import { placeHold, releaseHold } from "../../jobs/hold.ts";
import { init } from "../../jobs/init.ts";
import { purge } from "../../jobs/purge.ts";
import { listPurges } from "../../jobs/purge-list.ts";
import { rebuild } from "../../jobs/rebuild.ts";
import { reconcile } from "../../jobs/reconcile.ts";
import { endRelationship, reopenRelationship } from "../../jobs/relationship.ts";
import { extendAll } from "../../jobs/retention.ts";
import { retrieve } from "../../jobs/retrieve.ts";
import { verify } from "../../jobs/verify.ts";
import { systemClock } from "../../src/core/clock.ts";
import { HoldfastError, hasCode } from "../../src/core/error.ts";
import { setLock } from "../../src/retention/set-lock.ts";
import type { Session } from "../../src/session/client.ts";
import { refuseProblems } from "../../src/session/refuse-problems.ts";
import { CHECKPOINT } from "../../src/vault/layout.ts";
import { lockFor } from "../../src/vault/lock.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { calm, FaultPlace } from "../faults/place.ts";
import { workOnDisk } from "../memory.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { s3Client } from "../servers/s3.ts";
import { type StrictS3, startStrictS3 } from "../servers/strict-s3.ts";
import { allowing, asksOf, like, list } from "./policy.ts";
import { BUCKET, hardener, PREFIX, ROLES, type Role, rules } from "./roles.ts";

workOnDisk();

const DAY = 86_400_000;

/**
 * Compares the policies of config/aws with the program's requests. Every command runs on a strict store that grants
 * exactly what the role's policy and the bucket policy allow, so no policy lacks a right. Rights that a policy grants
 * but no command uses are excessive.
 */
describe("each role's policy allows exactly what its commands need", () => {
  let sandbox: Sandbox;
  let s3: StrictS3;
  let place: FaultPlace;
  let folder: string;
  /** How far ahead the clocks of the store and of this machine are, in ms. */
  let ahead = 0;
  /** Rights that were used, as `<role> <action> <resource>`. */
  const used = new Set<string>();
  const refused: string[] = [];

  before(async () => {
    // Videos in two parts, so that there is an upload to interrupt.
    sandbox = await startSandbox({ identities: 3, plainImages: true, videoBytes: 9 * 1024 ** 2 });
    s3 = await startStrictS3({ now: () => Date.now() + ahead });
    const client = s3Client(s3.endpoint);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET, ObjectLockEnabledForBucket: true }));
    client.destroy();
    const vault = { url: `s3://${BUCKET}/${PREFIX}`, endpoint: s3.endpoint, forcePathStyle: true };
    const retention = { keep: "P90D", from: "relationship-end", initialLock: "P90D", extendWhenLessThan: "P30D" };
    place = new FaultPlace(await makeWorkplace(sandbox, { client: { vault, retention }, init: false }), sandbox);
    folder = await mkdtemp(join(tmpdir(), "holdfast-roles-"));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await place[Symbol.asyncDispose]();
    await s3.close();
    await sandbox.close();
  });

  async function as<T>(role: Role | "Hardener", work: (session: Session) => Promise<T>, parameters = {}): Promise<T> {
    const { own, bucket, principal } = role === "Hardener" ? hardener(parameters) : rules(role, parameters);
    refused.length = 0;
    s3.grant((seen, within) =>
      asksOf(seen, principal, Date.now() + ahead).every((ask) => {
        const statement = allowing(own, bucket, ask);
        // A read returns lock and hold too, but commands only use a HEAD to look at holds.
        if (statement && !(within === "GetObject" && ask.action === "s3:GetObjectLegalHold"))
          used.add(`${role} ${ask.action} ${list(statement.Resource).find((pattern) => like(pattern, ask.resource))}`);
        if (!statement && !within) refused.push(`${ask.action} ${ask.resource}`);
        return statement !== undefined;
      }),
    );
    const now = () => systemClock().add({ milliseconds: ahead });
    return work(await place.session({ patience: calm, now }));
  }
  const nothingRefused = () => assert.deepEqual(refused, []);
  const someone = (index: number) => {
    const { id } = sandbox.identity(index);
    return { identities: [id], emails: [], references: [], subjects: [] };
  };

  test("exporter: init, export, backfill, rebuild, reconcile, extension, relationships, doctor", async () => {
    await as("Exporter", init);
    nothingRefused();
    s3.setFaults([{ operation: "UploadPart", times: 1, fails: { status: 400, code: "InvalidRequest" } }]);
    await as("Exporter", (session) => exportClients(session, {}));
    nothingRefused();
    await as("Exporter", (session) => exportClients(session, {}));
    sandbox.change(1, { files: true });
    await as("Exporter", (session) =>
      backfillClients(session, {}, ({ error }) => {
        throw error;
      }),
    );
    await as("Exporter", rebuild);
    await as("Exporter", reconcile);
    await as("Exporter", (session) => reopenRelationship(session, someone(0))).catch((error) =>
      assert.ok(error instanceof HoldfastError, error),
    );
    ahead = 65 * DAY;
    const [locks] = await as("Exporter", extendAll);
    assert.ok(locks!.objects > 0 && locks!.failed === 0);
    ahead = 0;
    nothingRefused();

    const diagnosis = await as("Exporter", (session) => doctor(session, place.work.file));
    const found = diagnosis.clients[0]!.findings.filter(({ level }) => level !== "ok").map(({ text }) => text);
    assert.equal(found.length, 1, diagnosisText(diagnosis).join("\n"));
    assert.match(found[0]!, /sandbox/);
  });

  test("exporter: stores again what must be stored again, although it cannot read what is there", async () => {
    await as("Exporter", (session) => exportClients(session, { identities: [sandbox.identity(2).id], again: true }));
    assert.ok(
      refused.every((each) => /^s3:GetObject/.test(each)),
      refused.join("\n"),
    );
  });

  test("exporter: after locks became compliance, existing governance locks are still extended", async () => {
    const vault = await place.work.vault();
    const [stored] = await place.work.entries("record.stored");
    const { key, versionId } = stored!.object;
    const lock = lockFor("compliance", Temporal.Duration.from({ days: 200 }), systemClock());
    const mode = await as("Exporter", () => setLock(vault, key, versionId, lock), { LockMode: "compliance" });
    assert.equal(mode, "governance");
    assert.equal((await vault.lockOf(key, versionId))?.until.toString(), lock.until.toString());
    const hardened = await as("Hardener", () => setLock(vault, key, versionId, lock, { harden: true }));
    assert.equal(hardened, "compliance");
    // If the bucket policy forbids it, the command must say so.
    const longer = lockFor("compliance", Temporal.Duration.from({ days: 4000 }), systemClock());
    const attempt = as("Exporter", () => setLock(vault, key, versionId, longer, { pauses: [] }));
    await assert.rejects(attempt, (error) => hasCode(error, "vault-locked"));
    await vault.close();
  });

  test("retriever: a bag", async () => {
    const request = { case: "2026-117", requestedBy: "FIU", reason: "request", range: undefined };
    const out = join(folder, "bag");
    await as("Retriever", (session) =>
      retrieve(session, { ...someone(0), ...request, versions: { kind: "all" }, out }),
    );
    nothingRefused();
  });

  test("verifier: every object is read", async () => {
    const reports = await as("Verifier", (session) => verify(session, { readData: 100, orphans: true }));
    nothingRefused();
    refuseProblems(reports);
    // A missing object can be told from a forbidden one.
    const vault = await place.work.vault();
    s3.grant(() => true);
    const client = s3Client(s3.endpoint);
    const { DeleteMarker, VersionId } = await client.send(
      new DeleteObjectCommand({ Bucket: BUCKET, Key: `${PREFIX}/${CHECKPOINT}` }),
    );
    assert.ok(DeleteMarker && VersionId);
    const blind = as("Verifier", (session) => verify(session, { readData: 0 }));
    await assert.rejects(blind, (error) => hasCode(error, "incomplete"));
    s3.grant(() => true);
    await vault.deleteVersion(CHECKPOINT, VersionId);
    client.destroy();
    await vault.close();
  });

  test("purger: holds, releases, lists, deletes what no lock protects", async () => {
    const held = { ...someone(1), case: "AZ 17/26", reason: "an inquiry" };
    await as("Purger", (session) => placeHold(session, held));
    nothingRefused();
    // The exporter holds new objects of a held person, but cannot release a hold.
    sandbox.change([1], { files: true });
    await as("Exporter", (session) => exportClients(session, {}));
    nothingRefused();
    // The hold's note is extended with the records.
    ahead = 130 * DAY;
    await as("Exporter", extendAll);
    ahead = 0;
    // Of one record, a test above made the lock harder than the log says.
    assert.ok(refused.every((each) => each.includes("/records/")));
    const lifting = as("Exporter", (session) => releaseHold(session, held));
    await assert.rejects(lifting, (error) => error instanceof HoldfastError);
    assert.match(refused.join("\n"), /s3:(PutObjectLegalHold|GetObjectVersion|PutObject \S+\/notes\/)/);
    await as("Purger", (session) => releaseHold(session, held));
    nothingRefused();
    const date = Temporal.Now.plainDateISO("UTC").subtract({ days: 2 });
    await as("Exporter", (session) =>
      endRelationship(session, { ...someone(0), date: date.toString(), csv: undefined }),
    );
    ahead = 230 * DAY;
    const [listed] = await as("Purger", listPurges);
    assert.equal(listed!.purge.length, 1);
    const done = await as("Purger", (session) => purge(session, join(folder, "destroyed")));
    nothingRefused();
    assert.deepEqual([done.subjects, done.failed], [1, 0]);
    ahead = 0;
  });

  test("every granted right is used by some command", () => {
    const granted = ROLES.flatMap((role) =>
      rules(role).own.Statement.flatMap(({ Action, Resource }) =>
        list(Action).flatMap((action) => list(Resource).map((resource) => `${role} ${action} ${resource}`)),
      ),
    );
    // Without it a store answers 403 for both missing and forbidden objects.
    const told = ["Retriever", "Purger"].map((role) => `${role} s3:ListBucket arn:aws:s3:::${BUCKET}`);
    // A machine that takes over from another looks for the largest earlier checkpoint.
    const earlier = `Exporter s3:GetObjectVersion arn:aws:s3:::${BUCKET}/${PREFIX}/audit/*`;
    assert.deepEqual(
      granted.filter((each) => !used.has(each) && each !== earlier),
      told,
    );
  });
});
