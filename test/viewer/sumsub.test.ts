import assert from "node:assert/strict";
import { test } from "node:test";
import { dossierOf } from "../../src/viewer/dossier/dossier.ts";
import { full, open, reviewOf, someone } from "../source/sumsub/connect.ts";

const SOURCE = { kind: "sumsub", name: "sumsub", api: "", project: "" } as never;

test("Sumsub: reviews, steps, AML hits, checks and actions with their results, and files by what they show", async (t) => {
  const { sandbox, source } = await open(t);
  const { index, id } = someone(
    sandbox,
    (at) => at % 6 === 0 && at % 5 === 0 && reviewOf(sandbox, at).reviewStatus === "completed",
  );
  sandbox.change([index]);
  sandbox.recapture([index]);
  const { answers, files, identity } = await source.dossier(id, full);
  const { checks, fileName } = dossierOf({ source: SOURCE, raw: answers });
  const value = (heading: string, name: string | undefined, row: string) =>
    checks
      .find((check) => check.heading === heading && check.name === name)
      ?.rows.find(({ path }) => path.join() === row)?.value;
  const { reviewResult } = reviewOf(sandbox, index);
  assert.equal(value("Review", "basic-kyc-level", "result"), reviewResult?.reviewAnswer);
  assert.equal(checks.filter(({ heading }) => heading === "Review").length, 3);
  assert.ok(value("Step", "IDENTITY", "document_type"));
  assert.equal(value("AML case", undefined, "result"), "YELLOW");
  const hit = value("AML case", undefined, "hit,name");
  assert.ok(typeof hit === "string" && JSON.stringify(identity.watchlist).includes(JSON.stringify(hit)), String(hit));
  assert.equal(value("Check", "EMAIL_CONFIRMATION", "result"), "GREEN");
  assert.equal(value("Action", "paymentSource", "result"), "GREEN");
  const titles = files.map((file) => fileName(file.id, file.resource));
  assert.ok(titles.every((title) => title !== undefined));
  assert.ok(titles.some((title) => title?.title.includes("of an earlier attempt")));
  assert.ok(titles.some((title) => title?.title === "of an action"));
});

test("answers of Sumsub that are not what they should be are read for what they have", () => {
  const texts = ["null", "[]", '{"items":5}', '{"items":[null,5]}', '{"checks":{}}', "{", '{"IDENTITY":null}'];
  for (const endpoint of [
    ...["status", "review/history", "requiredIdDocsStatus", "metadata/resources"].map(
      (part) => `GET /resources/applicants/{applicantId}/${part}`,
    ),
    "GET /resources/applicantActions/-;applicantId={applicantId}",
    "GET /resources/api/applicants/{applicantId}/amlCase",
    "GET /resources/checks/latest?type=TIN",
  ])
    for (const text of texts) {
      const raw = [{ endpoint, text }];
      assert.ok(dossierOf({ source: SOURCE, raw }).checks.every(({ rows }) => rows.length > 0));
    }
});
