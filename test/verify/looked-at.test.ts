import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { test } from "node:test";
import { PutObjectRetentionCommand } from "@aws-sdk/client-s3";
import type { S3VaultConfig } from "../../src/config/config.ts";
import { systemClock } from "../../src/core/clock.ts";
import { readLastVerify } from "../../src/state/last-verify.ts";
import { makeLogVault } from "../bench/log-vault.ts";
import { CLIENT } from "../export/workplace.ts";
import { lockedBucket, s3Client } from "../servers/s3.ts";
import { startStrictS3 } from "../servers/strict-s3.ts";

interface Report {
  readonly records: number;
  readonly looked: number;
  readonly problems: number;
  readonly found: readonly { readonly key: string }[];
}

interface Plan {
  readonly lists: number;
  readonly heads: number;
  readonly gets: number;
  readonly cost: number;
}

const RECORDS = 1_200;

/** A plan leaves out a few requests about the log itself. */
function near(sent: number, planned: number): void {
  assert.ok(Math.abs(sent - planned) < 20, `${planned} planned, ${sent} sent`);
}

test("the first verify looks at every lock, later ones at a share, and each says so", async () => {
  const server = await startStrictS3();
  await using _ = { [Symbol.asyncDispose]: () => server.close() };
  const vault = { url: `s3://${await lockedBucket(server.endpoint)}/${CLIENT}`, endpoint: server.endpoint };
  await using made = await makeLogVault({ entries: RECORDS, objects: () => true, locked: true, vault });
  const { place } = made;
  /** What a run says of the vault, and what it shows on a terminal. */
  const verify = async (code: number, ...args: string[]): Promise<Report & { readonly shown: string }> => {
    const ended = await place.here("verify", [...args, "--json"], { isTerminal: true });
    assert.equal(ended.code, code, ended.stderr);
    return { ...(ended.json as { clients: Report[] }).clients[0]!, shown: ended.stderr.replaceAll(/\s+/g, " ") };
  };
  // Without a catalog there is nothing to plan from; with one, the plan sends nothing, and is what the run then sends.
  assert.equal((await place.here("verify", ["--plan"])).code, 1);
  await place.expect(0, "rebuild");
  server.forget();
  const plan = async (): Promise<Plan> => {
    const { json, code } = await place.here("verify", ["--plan", "--list-price", "5", "--get-price", "0.4", "--json"]);
    assert.deepEqual([code, server.requests], [0, {}]);
    return (json as { plan: Plan[] }).plan[0]!;
  };
  const planned = await plan();
  const first = await verify(0);
  assert.equal(planned.heads, RECORDS);
  near(server.requests.HeadObject!, planned.heads);
  near(server.requests.ListObjectVersions!, planned.lists);
  near(server.requests.GetObject!, planned.gets);
  assert.equal(planned.cost, (planned.lists * 5 + (planned.heads + planned.gets) * 0.4) / 1000);
  assert.deepEqual([first.records, first.looked], [RECORDS, RECORDS]);
  assert.ok(server.requests.HeadObject! >= RECORDS);
  server.forget();

  // At least 1,000 of a vault, by lot.
  const { heads } = await plan();
  const { looked, shown } = await verify(0);
  assert.ok(looked > 900 && looked < 1_100, `${looked}`);
  assert.ok(Math.abs(heads - looked) < 100, `${heads} planned, ${looked} sent`);
  assert.ok(server.requests.HeadObject! < 1_200 && server.requests.ListObjectVersions! < 20);
  assert.match(shown, /1,200 records and 0 files found, with the logged version and size;/);
  assert.match(shown, / looked at the locks of [\d,]+ of 1,200 objects in this run, and at each within 30 days/);
  const last = readLastVerify(place.path("state", CLIENT))!.locks!;
  assert.ok(last.of === RECORDS && last.looked < RECORDS);

  // A lock that someone shortened: found by those who look at all, and then every time, whatever the lot.
  const { bucket, prefix } = (await place.client()).vault as S3VaultConfig;
  const { key, versionId } = (await place.entries("record.stored"))[0]!.object;
  const s3 = s3Client(server.endpoint);
  await s3.send(
    new PutObjectRetentionCommand({
      ...{ Bucket: bucket, Key: `${prefix}/${key}`, VersionId: versionId, BypassGovernanceRetention: true },
      Retention: { Mode: "GOVERNANCE", RetainUntilDate: new Date(systemClock().add({ hours: 1 }).epochMilliseconds) },
      ChecksumAlgorithm: "SHA256",
    }),
  );
  s3.destroy();
  const all = await verify(4, "--all-locks");
  assert.deepEqual([all.looked, all.found.map((each) => each.key)], [RECORDS, [key]]);
  assert.match(
    all.shown,
    /records and 0 files found, with the logged size and lock, and the digest that the store noted;/,
  );
  const again = await verify(4);
  assert.ok(again.looked < RECORDS && again.found.length === 1 && again.found[0]!.key === key);

  // What is remembered is of this vault: a replica's locks are others.
  const path = place.path("state", CLIENT, "locks-looked-at.json");
  const { of } = JSON.parse(await readFile(path, "utf8"));
  assert.ok(of.includes(bucket));
  await rm(path);
  assert.equal((await verify(4)).looked, RECORDS);
});
