import assert from "node:assert/strict";
import { test } from "node:test";
import { HoldfastError } from "../../../src/core/error.ts";
import { endpointOf } from "../../sandbox/sumsub/routes.ts";
import { damaged } from "../nulls.ts";
import { answering, full, open, reviewOf, someone } from "./connect.ts";

test("null, or another wrong value, in any place of an answer: a dossier, or a broken answer, and no other error", async (t) => {
  const { sandbox, source } = await open(t);
  const { index, id } = someone(sandbox, (at) => at % 6 === 0 && reviewOf(sandbox, at).reviewStatus === "completed");
  sandbox.change([index], { part: "action" });
  const seen = new Map<string, unknown>();
  const { answers } = await source.dossier(id, full);
  for (const { endpoint, text } of answers) {
    const path = endpoint.slice("GET ".length).replaceAll(/\{\w+\}/g, "65a000000000000000000001");
    seen.set(endpointOf("GET", new URL(path, "http://sandbox").pathname), JSON.parse(text));
  }
  assert.ok(seen.size >= 9, [...seen.keys()].join());
  const ends = { kept: 0, refused: 0 };
  for (const [endpoint, value] of seen)
    for (const wrong of damaged(value, 2)) {
      answering(sandbox, endpoint, JSON.stringify(wrong));
      try {
        assert.equal((await source.dossier(id, full)).identity.id, id);
        ends.kept += 1;
      } catch (error) {
        assert.ok(error instanceof HoldfastError && error.code === "source-response", `${endpoint} ${error}`);
        ends.refused += 1;
      }
    }
  t.diagnostic(JSON.stringify(ends));
  assert.ok(ends.kept > 100 && ends.refused > 5, JSON.stringify(ends));
});

for (const [name, endpoint, answer] of [
  ["an action", "applicantActions", { items: [{ id: "a1", applicantId: "65a0000000000000000000ff" }], totalItems: 1 }],
  [
    "a case",
    "api/applicants/…/amlCase",
    { id: "c", targetEntityType: "applicant", targetEntityId: "65a0000000000000000000ff" },
  ],
  ["an inspection", "inspections/…", { id: "65a0000000000000000000ff" }],
  ["an inspection's applicant", "inspections/…", { applicantId: "65a0000000000000000000ff" }],
  ["a moderation state", "moderationStates", { list: { items: [{ applicantId: "65a0000000000000000000ff" }] } }],
  ["a check", "checks/latest", { checks: [{ applicantId: "65a0000000000000000000ff" }] }],
  ["an image", "applicants/…/metadata/resources", { items: [{ id: "1", applicantId: "65a0000000000000000000ff" }] }],
  ["an AML case's applicant", "api/applicants/…/amlCase", { id: "c", applicantId: "65a0000000000000000000ff" }],
  ["the profile", "applicants/…/one", { id: "65a0000000000000000000ff", createdAt: "2026-01-02 03:04:05" }],
] as const)
  test(`${name} of another applicant is refused`, async (t) => {
    const { sandbox, source } = await open(t);
    const { id } = someone(sandbox);
    answering(sandbox, endpoint, JSON.stringify(answer));
    await assert.rejects(source.dossier(id, full), {
      code: "source-response",
      message: /^GET .*: the answer is for another applicant$/,
    });
  });
