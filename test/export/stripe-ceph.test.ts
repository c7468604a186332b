import assert from "node:assert/strict";
import { test } from "node:test";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { Decrypter } from "age-encryption";
import type { RecordStored } from "../../src/audit/entry.ts";
import type { Summary } from "../../src/export/summary.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { secretMark } from "../sandbox/stripe/secret.ts";
import { type StripeSandbox, startStripe } from "../sandbox/stripe/server.ts";
import { cephEndpoint, s3Client, withoutCeph } from "../servers/s3.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

/** `PEOPLE=2000` is the size that the closing notes name; it takes minutes. */
const PEOPLE = Number(process.env.PEOPLE ?? 100);
const DAY = 86_400_000;

/** Each person once, with all reports, without secrets; every file to the byte. Returns how many files there are. */
async function checkAll(place: Workplace, stripe: StripeSandbox): Promise<number> {
  const s3 = s3Client(cephEndpoint);
  const decrypter = new Decrypter();
  decrypter.addIdentity(place.officer.identity);
  const [, Bucket, prefix] = /^s3:\/\/([^/]+)\/(.+)$/.exec((await place.client()).vault.url)!;
  const open = async (key: string, VersionId: string): Promise<Buffer> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `${prefix}/${key}`, VersionId }));
    return Buffer.from(await decrypter.decrypt(await Body!.transformToByteArray()));
  };
  const stored = await place.stored();
  const tokens = new Tokens(await (await place.client()).lookups.key.resolve());
  assert.equal(stored.size, stripe.ids().length);
  let files = 0;
  for (const [index, id] of stripe.ids().entries()) {
    const entries = stored.get(tokens.subject("stripe", id));
    assert.equal(entries?.length, 1, "each person is stored once");
    const [{ object, files: logged, withheld }] = entries as [RecordStored];
    assert.equal(withheld, 0);
    const text = (await open(object.key, object.versionId)).toString();
    assert.ok(!text.includes(secretMark(1)), "a secret of the person is sealed");
    const record = JSON.parse(text) as SealedRecord;
    const [session, reports] = record.raw!.map((answer) => JSON.parse(answer.text));
    const { url: _, client_secret: __, last_verification_report: last, ...expected } = stripe.session(index);
    assert.deepEqual(
      { ...session, last_verification_report: undefined },
      {
        ...JSON.parse(JSON.stringify(expected)),
        ...{ last_verification_report: undefined, url: null, client_secret: null },
      },
    );
    assert.deepEqual(session.last_verification_report, JSON.parse(JSON.stringify(last)));
    assert.deepEqual(reports.data, JSON.parse(JSON.stringify(stripe.reports(index).reverse())));
    files += logged.length;
    assert.equal(record.files.length, logged.length);
    if (index % 20 !== 0) continue;
    for (const { key, id: file } of record.files)
      assert.deepEqual(await open(key, logged.find((one) => one.key === key)!.versionId), await stripe.file(file));
  }
  s3.destroy();
  return files;
}

test(`${PEOPLE} people of Stripe through 429, 500 and cut files: none is missing, none is twice`, {
  skip: withoutCeph,
}, async (t) => {
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  await using stripe = await startStripe({
    ...{ identities: PEOPLE, plainImages: true, repeats: 0, fail: 3, truncate: 2, retryAfter: 0, clock },
  });
  await using place = await makeWorkplace(stripe, {
    vault: "ceph",
    client: {
      source: { kind: "stripe", concurrency: 16 },
      lookups: { fields: ["email", "metadata.client_reference_id", "document.number"] },
    },
  });
  const night = async (): Promise<Summary> => {
    const now = () => Temporal.Instant.fromEpochMilliseconds(clock());
    const ended = await place.here("export", ["--json"], { now });
    assert.equal(ended.code, 0, ended.stderr);
    for (const canary of stripe.canaries()) assert.ok(!`${ended.stdout}${ended.stderr}`.includes(canary));
    return (ended.json as { clients: Summary[] }).clients[0]!;
  };
  const first = await night();
  assert.deepEqual([first.new, first.failed, first.withheld], [PEOPLE, 0, 0]);
  for (const outcome of [429, 500] as const) assert.ok(stripe.requests.of(undefined, outcome) > 0, String(outcome));
  const files = await checkAll(place, stripe);
  assert.equal(files, first.files);
  t.diagnostic(`${first.requests} requests for ${PEOPLE} new people and ${files} files, ${first.retries} retries`);

  stripe.setFaults({ fail: 0, truncate: 0 });
  await t.test("a night without changes stores nothing, though each answer has fresh secrets", async () => {
    ahead += DAY;
    const { changed, files: more, requests, ...of } = await night();
    assert.deepEqual([of.new, changed, more], [0, 0, 0]);
    t.diagnostic(`${requests} requests for a night without changes`);
  });

  await t.test("events name who changed; the weekly walk finds metadata and redactions", async () => {
    stripe.change([1], { part: "attempt" });
    stripe.change([2], { part: "metadata" });
    const before = stripe.requests.of("sessions");
    ahead += DAY;
    const told = await night();
    assert.deepEqual([told.changed, stripe.requests.of("sessions") - before], [1, 0]);
    t.diagnostic(`${told.requests} requests for a night with one change`);
    stripe.redact([3]);
    ahead += 7 * DAY;
    const walked = await night();
    assert.equal(walked.changed, 1);
    assert.equal((await place.entries("record.gone")).filter(({ reason }) => reason === "redacted").length, 1);
  });
});
