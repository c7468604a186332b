import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { sdk } from "sumsub-node-sdk";
import { first } from "./ask.ts";
import { imageId } from "./id.ts";
import { type Sumsub, startSumsub } from "./server.ts";

/** The best-known client. It signs requests itself, and does not know this sandbox. */
const clientOf = ({ url, appToken, apiKey }: Pick<Sumsub, "url" | "appToken" | "apiKey">) =>
  sdk({ baseURL: url, appToken, secretKey: apiKey });

let sandbox: Sumsub;
let client: ReturnType<typeof clientOf>;

before(async () => {
  sandbox = await startSumsub({ identities: 40, plainImages: true });
  client = clientOf(sandbox);
});
after(() => sandbox.close());

const statusOf = (work: Promise<unknown>): Promise<number> =>
  work.then(
    () => 200,
    (error: { response: { status: number } }) => error.response.status,
  );
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

test("the client reads applicants by id and by the client's own reference", async () => {
  for (const [index, id] of sandbox.ids().entries()) {
    const { data: applicant } = await client.getApplicant(id);
    assert.equal(applicant.id, id);
    assert.match(applicant.createdAt, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    assert.match(applicant.review.createDate, /\+0000$/);
    assert.equal((await client.getApplicantByExternalUserId(sandbox.reference(index))).data.id, id);
  }
});

test("the client reads statuses, steps and moderation states", async () => {
  const statuses = new Set<string>();
  let steps = 0;
  for (const id of sandbox.ids()) {
    const { reviewStatus, reviewResult } = (await client.getReviewStatus(id)).data;
    statuses.add(`${reviewStatus} ${reviewResult?.reviewAnswer ?? ""}`);
    const { data: found } = await client.getRequiredIdDocsStatus(id);
    steps += Object.values(found).filter((step) => step !== null).length;
    await client.getModerationStates(id);
  }
  for (const status of ["completed GREEN", "completed RED", "init ", "pending "]) assert.ok(statuses.has(status));
  assert.ok(steps > 40);
});

test("the client fetches images to the byte, and a report", async () => {
  const index = first(sandbox, (at) => sandbox.applicant(at).info !== undefined);
  const id = sandbox.id(index);
  const { inspectionId } = (await client.getApplicant(id)).data;
  const { data: steps } = await client.getRequiredIdDocsStatus(id);
  const files = new Set((await sandbox.files(index)).map(({ bytes }) => sha256(bytes)));
  const images = Object.values(steps).flatMap((step) => step.imageIds);
  assert.ok(images.length > 0);
  for (const image of images)
    assert.ok(files.has(sha256((await client.getDocumentImage(inspectionId, String(image))).data)));
  const { data: report } = await client.getApplicantReportPdf(id);
  assert.equal(report.subarray(0, 5).toString(), "%PDF-");
});

test("the client is refused with a wrong secret or token, and finds no one unknown", async () => {
  assert.equal(await statusOf(clientOf({ ...sandbox, apiKey: "wrong" }).getApplicant(sandbox.id(0))), 401);
  assert.equal(await statusOf(clientOf({ ...sandbox, appToken: "sbx:wrong" }).getApplicant(sandbox.id(0))), 401);
  assert.equal(await statusOf(client.getApplicant("0".repeat(24))), 404);
  assert.equal(await statusOf(client.getApplicantByExternalUserId("no one")), 404);
  assert.equal(await statusOf(client.getDocumentImage(sandbox.id(0), imageId(1, 0, 0))), 404);
});
