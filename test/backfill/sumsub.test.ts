import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSumsub } from "../sandbox/sumsub/server.ts";

const PEOPLE = 30;

/** At ten AML cases a minute, a test with them would take minutes. */
const AML = false;

test("a client of Sumsub: its own references begin, webhooks' ids follow, and what Sumsub deletes is kept", async () => {
  await using sumsub = await startSumsub({ identities: PEOPLE, plainImages: true });
  const { appToken } = sumsub;
  await using place = await makeWorkplace(sumsub, {
    client: { source: { kind: "sumsub", appToken, aml: AML, resync: "P100Y" }, lookups: { fields: ["email"] } },
  });
  const list = place.path("references.txt");
  const references = Array.from({ length: PEOPLE }, (_, index) => sumsub.reference(index));
  await writeFile(list, [...references, "no one's"].join("\n"));
  const ended = await place.here("backfill", ["--references", list, "--json"]);
  assert.equal(ended.code, 3, ended.stderr);
  const [first] = (ended.json as { clients: Summary[] }).clients;
  assert.deepEqual([first!.new, first!.notFound, first!.failed, first!.withheld], [PEOPLE, 1, 0, 0]);
  assert.equal((await place.stored()).size, PEOPLE);
  assert.equal(sumsub.requests.of("api/applicants/…/amlCase"), 0);
  for (const canary of sumsub.canaries()) assert.ok(!`${ended.stdout}${ended.stderr}`.includes(canary), canary);

  const captured = sumsub.ids().flatMap((_, at) => ("info" in sumsub.applicant(at) ? [at] : []));
  const [changed, redacted, gone] = captured as [number, number, number];
  sumsub.change([changed], { files: true });
  sumsub.redact([redacted]);
  sumsub.vanish([gone]);
  const named = [changed, redacted, gone].flatMap((index) => ["--identity", `sumsub:${sumsub.id(index)}`]);
  const [night] = await place.expect<Summary>(3, "export", ...named);
  // One 404 may be a fault that passes: it is no deletion yet.
  assert.deepEqual([night!.changed, night!.gone, night!.failed], [1, 1, 1]);
  assert.deepEqual(
    (await place.entries("record.gone")).map(({ reason }) => reason),
    ["redacted"],
  );
  assert.equal((await place.stored()).size, PEOPLE, "a copy is gone");

  const [quiet] = await place.expect<Summary>(3, "export");
  assert.deepEqual([quiet!.new, quiet!.changed, quiet!.askedAfterFailure, quiet!.failed], [0, 0, 1, 1]);
});

test("doctor of Sumsub says what it cannot find out, and what the token lacks", async () => {
  await using sumsub = await startSumsub({ identities: 3, rights: { aml: false } });
  await using place = await makeWorkplace(sumsub, {
    client: { source: { kind: "sumsub", appToken: sumsub.appToken } },
  });
  const looked = await place.here("doctor", ["--json"]);
  const { findings } = (looked.json as { clients: { findings: { level: string; text: string }[] }[] }).clients[0]!;
  const said = (pattern: RegExp) => findings.find(({ text }) => pattern.test(text))?.level;
  assert.equal(said(/may not view AML cases/), "warning");
  assert.equal(said(/COPY on images could not be checked/), "unknown");
  assert.equal(said(/it is a sandbox key/), "warning");
});

test("doctor says that Sumsub prints COPY on images, as soon as the vault has someone with an image", async () => {
  await using sumsub = await startSumsub({ identities: 6, plainImages: true, rights: { watermark: true } });
  const { appToken } = sumsub;
  await using place = await makeWorkplace(sumsub, { client: { source: { kind: "sumsub", appToken, aml: AML } } });
  const about = async (): Promise<string[]> => {
    const { json } = await place.here("doctor", ["--json"]);
    const { findings } = (json as { clients: { findings: { level: string; text: string }[] }[] }).clients[0]!;
    return findings.filter(({ text }) => /COPY/.test(text)).map(({ level, text }) => `${level} ${text}`);
  };
  assert.match((await about()).join(), /^unknown whether Sumsub prints COPY on images could not be checked/);
  await writeFile(place.path("ids"), sumsub.ids().join("\n"));
  assert.equal((await place.here("backfill", ["--ids", place.path("ids")])).code, 0);
  assert.match((await about()).join(), /^warning an image has \d+ bytes, and \d+ were sent: Sumsub prints COPY/);
  sumsub.setRights({ watermark: false });
  assert.match((await about()).join(), /^ok images have the size that was sent: no COPY on them$/);
});

test("a plan counts with the pace of AML cases, which is slower than the rate", async () => {
  await using sumsub = await startSumsub({ identities: 2, plainImages: true });
  const { appToken } = sumsub;
  const source = { kind: "sumsub", appToken, rate: "10/s" };
  await using place = await makeWorkplace(sumsub, { client: { source } });
  await writeFile(place.path("ids"), sumsub.ids().join("\n"));
  const plan = async () => (await place.here("backfill", ["--ids", place.path("ids"), "--plan"])).stderr;
  // Two cases, of eight a minute.
  assert.match(
    await plan(),
    /time +about 15 s, at the provider's pace of AML cases.*paces +\d+ requests at 10\/s: [\d.]+ s; 2 AML cases at 8\/min: 15 s/,
  );
  await place.configure({ source: { ...source, aml: false } });
  assert.match(await plan(), /time +at least \d.*, at the configured rate/);
});
