import assert from "node:assert/strict";
import { test } from "node:test";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { Decrypter } from "age-encryption";
import type { RecordStored } from "../../src/audit/entry.ts";
import type { Summary } from "../../src/export/summary.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { type Persona, startPersona } from "../sandbox/persona/server.ts";
import { cephEndpoint, s3Client, withoutCeph } from "../servers/s3.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

/** `PEOPLE=2000` is the size that the closing notes name; it takes minutes. */
const PEOPLE = Number(process.env.PEOPLE ?? 120);
const HOUR = 3_600_000;

/** Opens objects of the vault with a bare S3 client and age. */
async function opener(place: Workplace) {
  const s3 = s3Client(cephEndpoint);
  const decrypter = new Decrypter();
  decrypter.addIdentity(place.officer.identity);
  const [, Bucket, prefix] = /^s3:\/\/([^/]+)\/(.+)$/.exec((await place.client()).vault.url)!;
  const open = async (key: string, VersionId: string): Promise<Buffer> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `${prefix}/${key}`, VersionId }));
    return Buffer.from(await decrypter.decrypt(await Body!.transformToByteArray()));
  };
  return { open, [Symbol.dispose]: () => s3.destroy() };
}

/** Each person once, with what the API says of them; the files of some, to the byte. Returns how many files there are. */
async function checkAll(place: Workplace, persona: Persona): Promise<number> {
  using reading = await opener(place);
  const stored = await place.stored();
  const tokens = new Tokens(await (await place.client()).lookups.key.resolve());
  assert.equal(stored.size, persona.ids().length);
  let files = 0;
  for (const [index, id] of persona.ids().entries()) {
    const entries = stored.get(tokens.subject("persona", id));
    assert.equal(entries?.length, 1, "each person is stored once");
    const [{ object, files: logged, withheld }] = entries as [RecordStored];
    files += logged.length;
    assert.equal(withheld, 0);
    const record = JSON.parse((await reading.open(object.key, object.versionId)).toString()) as SealedRecord;
    assert.equal(record.holdfast, "record/2");
    const inquiry = record.raw!.find(({ endpoint }) => endpoint === "GET /inquiries/{inquiry-id}")!;
    const { id: found, attributes } = JSON.parse(inquiry.text).data;
    assert.deepEqual([found, attributes.status], [id, persona.inquiry(index).attributes.status]);
    assert.equal(record.files.length, logged.length);
    if (index % 20 !== 0) continue;
    for (const { key, id: path } of record.files) {
      const [, name] = /\/([^/]+)#/.exec(path) ?? /([^/]+)$/.exec(path)!;
      const { versionId } = logged.find((file) => file.key === key)!;
      if (!path.includes("video-url"))
        assert.ok((await reading.open(key, versionId)).equals(await persona.file(name!)));
    }
  }
  return files;
}

test(`${PEOPLE} people of Persona through 429, 500 and expired file URLs: none is missing, none is twice`, {
  skip: withoutCeph,
}, async (t) => {
  let ahead = 0;
  await using persona = await startPersona({
    ...{ identities: PEOPLE, plainImages: true, videoBytes: 4_000, searchDelay: 0, repeats: 0, fail: 3, retryAfter: 0 },
    clock: () => Date.now() + ahead,
  });
  // The URL of every fourth file has expired when it is first used, as if its turn came late.
  const used = new Set<string>();
  let expired = 0;
  persona.intercept(({ headers, url = "" }, response) => {
    const name = url.split("?")[0]!;
    if (headers.host !== new URL(persona.filesOrigin).host || used.has(name)) return false;
    used.add(name);
    if (used.size % 4 !== 0) return false;
    expired += 1;
    response.writeHead(403).end();
    return true;
  });
  await using place = await makeWorkplace(persona, {
    vault: "ceph",
    client: {
      source: { kind: "persona", concurrency: 16 },
      lookups: { fields: ["email", "metadata.reference_id", "document.number"] },
    },
  });
  const night = async (): Promise<Summary> => {
    const now = () => Temporal.Instant.fromEpochMilliseconds(Date.now() + ahead);
    const ended = await place.here("export", ["--json"], { now });
    assert.equal(ended.code, 0, ended.stderr);
    return (ended.json as { clients: Summary[] }).clients[0]!;
  };
  const first = await night();
  assert.deepEqual([first.new, first.failed, first.withheld], [PEOPLE, 0, 0]);
  for (const outcome of [429, 500] as const) assert.ok(persona.requests.of(undefined, outcome) > 0, String(outcome));
  assert.ok(expired > 0, "some URLs had expired");
  assert.deepEqual(persona.leaks, []);
  const files = await checkAll(place, persona);
  assert.equal(files, first.files);
  t.diagnostic(
    `${first.requests} requests for ${PEOPLE} new people and ${files} files, ${first.retries} retries, ${expired} expired URLs`,
  );

  persona.setFaults({ fail: 0 });
  await t.test("a night without changes stores nothing", async () => {
    // Past the overlap of the search.
    ahead += 2 * HOUR;
    const { changed, files: more, requests, ...of } = await night();
    assert.deepEqual([of.new, changed, more], [0, 0, 0]);
    t.diagnostic(`${requests} requests for a night without changes`);
  });

  await t.test("a report that changes alone is found in turn, within resync", async () => {
    persona.change([1], { part: "report" });
    persona.change([2], { part: "checks" });
    await place.configure({ source: { resync: "P1D" } });
    ahead += 24 * HOUR;
    const { changed, askedInTurn, requests } = await night();
    t.diagnostic(`${askedInTurn} asked in turn, ${requests} requests`);
    assert.equal(changed, 2);
  });
});
