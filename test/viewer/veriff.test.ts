import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { dossierOf } from "../../src/viewer/dossier/dossier.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { first } from "../sandbox/veriff/ask.ts";
import { startVeriff, type Veriff } from "../sandbox/veriff/server.ts";
import { signatureOf } from "../sandbox/veriff/signature.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { full, open, statusOf } from "../source/veriff/connect.ts";
import { ViewerPage } from "./viewer-page.ts";

const SOURCE = { kind: "veriff", name: "veriff", api: "", project: "" } as never;

const endpoint = (part: string) => `GET /sessions/{id}/${part}`;

function read(raw: readonly { endpoint: string; text: string }[], files: readonly unknown[] = []) {
  const { checks, fileName } = dossierOf({ source: SOURCE, raw, files });
  const rowsOf = (heading: string) => checks.find((check) => check.heading === heading)?.rows ?? [];
  const value = (heading: string, ...path: string[]) =>
    rowsOf(heading).find((row) => row.path.join() === path.join())?.value;
  return { checks, fileName, rowsOf, value };
}

test("Veriff: the decision with its reason, attempts in order with their media, and the screening", async (t) => {
  const { sandbox, source } = await open(t, { identities: 100 });
  const index = first(
    sandbox,
    (at) => sandbox.attemptIds(at).length === 2 && statusOf(sandbox, at) === "approved" && at % 3 === 0 && at % 5 > 0,
  );
  sandbox.change([index], { part: "userStatus" });
  sandbox.change([index], { part: "watchlist" });
  const { answers, files } = await source.dossier(sandbox.id(index), full);
  const { checks, value, rowsOf, fileName } = read(answers, files);
  assert.deepEqual(
    checks.map(({ heading }) => heading),
    ["Decision", "Attempt 1", "Attempt 2", "Watchlist screening"],
  );
  assert.deepEqual(
    checks.slice(1, 3).map(({ id }) => id),
    sandbox.attemptIds(index),
  );
  assert.equal(value("Decision", "result"), "approved");
  assert.equal(value("Decision", "decision_code"), 9001);
  assert.equal(value("Attempt 1", "status"), "resubmission_requested");
  assert.equal(value("Attempt 2", "status_set_by_the_client", "reason"), "Reviewed by hand");
  assert.equal(value("Watchlist screening", "result"), "possible_match");
  assert.equal(typeof value("Watchlist screening", "hit", "matchedName"), "string");
  for (const attempt of ["Attempt 1", "Attempt 2"])
    assert.deepEqual(
      rowsOf(attempt).flatMap(({ path }) => (path[0] === "media" && path.length > 1 ? [path[1]] : [])),
      ["Document, front", "Face", "Face, first capture", "Document and face, video"],
    );
  const titles = files.map(({ id, resource }) => fileName(id, resource)?.title);
  assert.ok(titles.includes("Document, front, attempt 1") && titles.includes("Face, first capture, attempt 2"));
});

test("Veriff: why a session was declined, in words and as the provider's codes", async (t) => {
  const { sandbox, source } = await open(t);
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "declined" && sandbox.attemptIds(at).length === 1);
  const { answers, files } = await source.dossier(sandbox.id(index), full);
  const { value, fileName } = read(answers, files);
  assert.equal(value("Decision", "result"), "declined");
  assert.equal(value("Decision", "reason"), "Document is damaged");
  assert.equal(value("Decision", "reason_code"), 102);
  assert.equal(value("Decision", "decision_code"), 9102);
  // Of one attempt only, which is not said again.
  assert.ok(files.every(({ id, resource }) => !fileName(id, resource)!.title.includes("attempt")));
});

test("Veriff: risk labels, matches, registries and values within values are shown as well", () => {
  const verification = {
    ...{ id: "s", status: "approved", riskLabels: [{ label: "vpn_or_tor", category: "network" }, "odd"] },
    person: { firstName: "Ada", addresses: [{ fullAddress: "1 Oak", parsedAddress: { city: "Riga" } }] },
    document: { number: "1", extra: { side: { x: 1 } } },
    additionalVerifiedData: { nested: [1, 2] },
  };
  const { value, checks } = read([
    { endpoint: endpoint("decision"), text: JSON.stringify({ verification }) },
    { endpoint: endpoint("person"), text: JSON.stringify({ person: { pepSanctionMatches: [{ name: "A. B." }] } }) },
    {
      endpoint: endpoint("decision/ine-registry"),
      text: JSON.stringify({ status: "success", data: { active: true } }),
    },
  ]);
  assert.equal(value("Decision", "risk_label"), "vpn_or_tor");
  assert.equal(value("Decision", "risk_label", "category"), "network");
  assert.equal(value("Watchlist screening", "match", "name"), "A. B.");
  assert.equal(value("Registry", "data", "active"), true);
  assert.deepEqual(
    checks.filter(({ heading }) => heading === "Details").map(({ name }) => name),
    ["document", "person", "additional"],
  );
});

test("answers of Veriff that are not what they should be are read for what they have", () => {
  const texts = [
    ...[
      "null",
      "[]",
      "5",
      "{",
      "{}",
      '{"verification":null}',
      '{"verification":[]}',
      '{"verification":{"riskLabels":5}}',
    ],
    ...[
      '{"verification":{"riskLabels":[null,5,{}],"person":5,"document":[],"attemptId":{}}}',
      '{"person":{"pepSanctionMatches":{}}}',
    ],
    ...['{"verifications":5}', '{"verifications":[null,5,{"id":7},{"id":"a","createdTime":5,"userDefinedData":5}]}'],
    ...[
      '{"images":5}',
      '{"images":[null,{"id":"a","context":7,"mimetype":{}},{"id":"b","context":"__proto__"}]}',
      '{"data":5}',
    ],
  ];
  const endpoints = [
    ...["decision", "attempts", "person", "watchlist-screening", "decision/ine-registry"].map(endpoint),
    "GET /attempts/{id}/media",
  ];
  for (const each of endpoints)
    for (const text of texts) {
      const files = [null, 5, { id: 7 }, { id: "a", resource: "a" }, { id: "b", resource: "a" }];
      const { checks, fileName } = read([{ endpoint: each, text }], files);
      assert.ok(checks.every(({ rows }) => rows.length > 0));
      for (const id of ["a", "b", "c"]) fileName(id, "a");
    }
});

describe("a session of Veriff in the page", { skip: withoutChromium }, () => {
  let sandbox: Veriff;
  let place: Workplace;
  let browser: Browser;
  let bag: string;
  let index: number;

  before(async () => {
    sandbox = await startVeriff({ identities: 40, plainImages: true });
    index = first(sandbox, (at) => sandbox.attemptIds(at).length === 2 && statusOf(sandbox, at) === "approved");
    const source = { kind: "veriff", integrationKey: sandbox.integrationKey };
    place = await makeWorkplace(sandbox, { client: { source } });
    await writeFile(place.path("ids"), sandbox.id(index), { mode: 0o600 });
    const ended = await place.here("backfill", ["--ids", place.path("ids")]);
    assert.equal(ended.code, 0, ended.stderr);
    bag = place.path("bag");
    const why = ["--case", "1", "--requested-by", "Ada", "--reason", "why", "--out", bag];
    const got = await place.here("retrieve", [...why, "--identity", sandbox.id(index)]);
    assert.equal(got.code, 0, got.stderr);
    browser = await startChromium();
  });
  after(async () => {
    await browser?.close();
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  test("the last attempt's media come first, and each is named by what it shows", async () => {
    await using viewer = await ViewerPage.open(browser);
    await viewer.give({ bag, key: place.officer.file });
    await viewer.page.locator("#data").waitFor();
    const captions = await viewer.page.locator("figcaption strong").allTextContents();
    assert.equal(captions[0], "Document, front, attempt 2");
    assert.equal(captions.at(-1), "Document and face, video, attempt 1");
    const attempts = captions.map((caption) => caption.at(-1));
    assert.deepEqual(attempts, attempts.toSorted().toReversed());
    // The watchlist is among the checks, and there only.
    const headings = await viewer.page.locator(".provided .group th").allTextContents();
    assert.equal(headings.filter((heading) => heading.startsWith("Watchlist")).length, 1);
    assert.ok(headings.includes("Person from the provider"), headings.join());
  });

  test("signatures are shown as evidence, each with its answer, and the page says that it cannot check them", async () => {
    await using viewer = await ViewerPage.open(browser);
    const { page } = viewer;
    await viewer.give({ bag, key: place.officer.file });
    await page.locator("#answers").waitFor();
    const said = (await page.locator(".answers .signed").textContent())!;
    assert.match(said, /^The provider signed each of these answers .* this page does not check them again\./);
    const answers = page.locator("details.raw");
    assert.equal(await page.locator(".signature").count(), await answers.count());
    assert.doesNotMatch((await page.locator(".answers summary").allTextContents()).join(), /x-hmac-signature/);
    const decision = signatureOf(sandbox.apiKey, JSON.stringify(sandbox.decision(index)));
    assert.equal(await answers.first().locator(".signature").textContent(), `Signature “${decision}”`);
  });
});
