import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, clockAt, first, read } from "./ask.ts";
import { LIMITS, type Sumsub, startSumsub } from "./server.ts";
import { signatureOf } from "./token.ts";

const PEOPLE = { identities: 40, plainImages: true };
const one = (id: string) => `/resources/applicants/${id}/one`;
const captured = (sandbox: Sumsub) => first(sandbox, (at) => sandbox.applicant(at).info !== undefined);

interface Resources {
  readonly items: readonly {
    id: string;
    deactivated: boolean;
    addedDate: string;
    fileMetadata: { fileType: string };
  }[];
  readonly totalItems: number;
}

test("the signature is the documented one", () => {
  const path = "/resources/applicants/65a000000000000000000001/one";
  assert.equal(
    signatureOf("sandbox-secret", 1767225600, { method: "GET", url: path, body: Buffer.alloc(0) }),
    "8b3683fcb19bbaee7040fce19a35e29d2186d0a449e6030305416527ab26c304",
  );
});

test("a request is refused if it is signed for another path or by a clock a minute off", async () => {
  const clock = clockAt();
  await using sandbox = await startSumsub({ ...PEOPLE, clock });
  const path = one(sandbox.id(0));
  const statusAt = async (seconds: number) => (await ask(sandbox, path, { now: clock.now + seconds * 1000 })).status;
  assert.deepEqual(await Promise.all([-61, -59, 0, 59, 62].map(statusAt)), [401, 200, 200, 200, 401]);
  const time = String(clock.now / 1000);
  const sig = signatureOf(sandbox.apiKey, time, { method: "GET", url: one(sandbox.id(1)), body: Buffer.alloc(0) });
  const headers = { "x-app-token": sandbox.appToken, "x-app-access-ts": time, "x-app-access-sig": sig };
  const answer = await fetch(sandbox.url + path, { headers });
  const { correlationId, ...body } = (await answer.json()) as Record<string, unknown>;
  assert.equal(answer.headers.get("date"), new Date(clock.now).toUTCString());
  assert.match(String(correlationId), /^[0-9a-f]{32}$/);
  assert.deepEqual(body, {
    ...{ description: "Request signature mismatch", code: 401 },
    ...{ errorCode: 4003, errorName: "app-token-signature mismatch" },
  });
});

test("Sumsub's limits: 300 requests in 5 seconds, and 10 AML cases in a minute", async () => {
  const clock = clockAt();
  await using sandbox = await startSumsub({ ...PEOPLE, ...LIMITS, clock });
  const statusOf = async (path: string) => (await ask(sandbox, path, clock)).status;
  const aml = `/resources/api/applicants/${sandbox.id(0)}/amlCase`;
  const cases = await Promise.all(Array.from({ length: 11 }, () => statusOf(aml)));
  assert.equal(cases.filter((status) => status === 429).length, 1);
  for (let n = 11; n < 300; n++) assert.equal(await statusOf(one(sandbox.id(1))), 200);
  assert.equal(await statusOf(one(sandbox.id(1))), 429);
  clock.now += 5_000;
  assert.deepEqual([await statusOf(one(sandbox.id(1))), await statusOf(aml)], [200, 429]);
  clock.now += 55_000;
  assert.notEqual(await statusOf(aml), 429);
});

test("a deactivated applicant keeps everything, a redacted one names no one, a deleted one is unknown", async () => {
  await using sandbox = await startSumsub(PEOPLE);
  const index = captured(sandbox);
  const id = sandbox.id(index);
  const before = await read(sandbox, one(id));
  sandbox.deactivate([index]);
  const { deleted, ...rest } = await read(sandbox, one(id));
  assert.deepEqual([deleted, Object.keys(rest)], [true, Object.keys(before)]);
  sandbox.deactivate([index], false);
  sandbox.redact([index]);
  const redacted = await read(sandbox, one(id));
  assert.deepEqual([redacted.info, redacted.email, redacted.id], [undefined, undefined, id]);
  assert.deepEqual(await read(sandbox, `/resources/applicants/${id}/metadata/resources`), { items: [], totalItems: 0 });
  sandbox.vanish([index]);
  assert.equal((await ask(sandbox, one(id))).status, 404);
});

test("images of earlier attempts stay, and the history shows the last ten reviews", async () => {
  await using sandbox = await startSumsub(PEOPLE);
  const index = captured(sandbox);
  const id = sandbox.id(index);
  const resources = () => read<Resources>(sandbox, `/resources/applicants/${id}/metadata/resources`);
  const before = await resources();
  for (let n = 0; n < 11; n++) sandbox.change([index]);
  sandbox.recapture([index]);
  const { items, totalItems } = await resources();
  assert.equal(totalItems, 2 * before.totalItems);
  assert.deepEqual(
    items.map(({ deactivated }) => deactivated),
    items.map((_, at) => at < before.totalItems),
  );
  assert.match(items[0]!.addedDate, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  const history = await read<{ items: unknown[]; totalItems: number }>(
    sandbox,
    `/resources/applicants/${id}/review/history`,
  );
  assert.deepEqual([history.items.length, history.totalItems], [10, 13]);
});

test("a watermark makes other bytes of pictures, and of nothing else", async () => {
  await using sandbox = await startSumsub({ ...PEOPLE, rights: { watermark: true } });
  const index = first(sandbox, (at) => sandbox.applicant(at).info !== undefined && at % 4 === 1 && at % 10 !== 7);
  const { inspectionId } = await read(sandbox, one(sandbox.id(index)));
  const { items } = await read<Resources>(sandbox, `/resources/applicants/${sandbox.id(index)}/metadata/resources`);
  const bytesOf = async (image: string) =>
    Buffer.from(await (await ask(sandbox, `/resources/inspections/${inspectionId}/resources/${image}`)).arrayBuffer());
  const marked = await Promise.all(items.map(({ id }) => bytesOf(id)));
  sandbox.setRights({ watermark: false });
  const clear = await Promise.all(items.map(({ id }) => bytesOf(id)));
  assert.deepEqual(
    items.map((_, at) => marked[at]!.equals(clear[at]!)),
    items.map(({ fileMetadata: { fileType } }) => fileType !== "png"),
  );
  assert.ok(items.some(({ fileMetadata: { fileType } }) => fileType === "pdf"));
});

test("a token without rights is refused, or shown an applicant without personal data", async () => {
  await using sandbox = await startSumsub({ ...PEOPLE, rights: { personal: false, aml: false } });
  const index = captured(sandbox);
  const applicant = await read(sandbox, one(sandbox.id(index)));
  assert.deepEqual([applicant.info, applicant.email], [undefined, undefined]);
  for (const path of [
    `api/applicants/${sandbox.id(index)}/amlCase`,
    `applicants/${sandbox.id(index)}/metadata/resources`,
  ])
    assert.equal((await ask(sandbox, `/resources/${path}`)).status, 403);
});
