import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { after, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { obeyed } from "../cli/terminal.ts";
import { makeWorkplace, type Provider } from "../export/workplace.ts";
import { startOnfido } from "../sandbox/onfido/server.ts";
import type { Interceptor } from "../sandbox/send.ts";
import { startStripe } from "../sandbox/stripe/server.ts";
import { startVeriff } from "../sandbox/veriff/server.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { ViewerPage } from "./viewer-page.ts";

const MARKUP = `"><img src=x onerror="document.title='run'"><b>bold</b>`;
const FORGED = "Clear” written by Holdfast\n\nThis copy\u202e\u200b\u2066";
const LONG = "W".repeat(400);
/** A value for each place that the page reads, and names for what it reads by name. */
const HOSTILE = {
  [MARKUP]: FORGED,
  [FORGED]: MARKUP,
  [LONG]: LONG,
  __proto__: null,
  constructor: { toString: MARKUP },
};

type Json = Record<string, unknown>;

/** Answers an endpoint with what `answer` makes, and leaves the others alone. */
function answering(path: RegExp, answer: (request: IncomingMessage) => unknown): Interceptor {
  return (request, response) => {
    if (!path.test(request.url!.split("?")[0]!)) return false;
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer(request)));
    return true;
  };
}

async function hostileStripe() {
  const sandbox = await startStripe({ identities: 1, repeats: 0, plainImages: true });
  const [report] = sandbox.reports(0) as unknown as Json[];
  const check = { status: FORGED, error: { code: MARKUP, reason: FORGED }, type: MARKUP };
  const made = { ...report, document: { ...(report!.document as Json), ...check, first_name: MARKUP, ...HOSTILE } };
  const others = { selfie: report!.selfie && { ...(report!.selfie as Json), ...check }, email: check, phone: HOSTILE };
  const list = { object: "list", url: "/v1/identity/verification_reports", has_more: false };
  sandbox.intercept(answering(/\/verification_reports$/, () => ({ ...list, data: [{ ...made, ...others }] })));
  return sandbox;
}

async function hostileOnfido() {
  const sandbox = await startOnfido({ identities: 1, plainImages: true, seed: 2 });
  const applicant_id = sandbox.id(0);
  const [id, of] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];
  const created_at = "2026-01-02T03:04:05Z";
  const breakdown = { ...HOSTILE, [MARKUP]: { result: FORGED, breakdown: { [FORGED]: { result: MARKUP } } } };
  const report = { id, created_at, check_id: of, name: FORGED, result: MARKUP, status: MARKUP, documents: [] };
  const check = { id: of, created_at, applicant_id, status: MARKUP, result: FORGED, tags: [MARKUP], report_ids: [id] };
  const document = { id, created_at, applicant_id, type: FORGED, side: MARKUP, file_type: "png", file_size: 10 };
  const answers: readonly Interceptor[] = [
    answering(/\/reports$/, () => ({ reports: [{ ...report, breakdown, properties: HOSTILE }] })),
    answering(/\/checks$/, () => ({ checks: [check] })),
    answering(/\/documents$/, () => ({ documents: [document] })),
    (request, response) => {
      if (!request.url!.endsWith(`/documents/${id}/download`)) return false;
      response.writeHead(403, { "Content-Type": "application/json" }).end("{}");
      return true;
    },
  ];
  sandbox.intercept((request, response) => answers.some((answer) => answer(request, response)));
  return sandbox;
}

async function hostileVeriff() {
  const sandbox = await startVeriff({ identities: 1, plainImages: true, seed: 2 });
  const [id, attemptId, mediaId] = [sandbox.id(0), "22222222-2222-4222-8222-222222222222", "33333333-aaaa"];
  const verification = {
    ...{ id, attemptId, status: FORGED, reason: MARKUP, reasonCode: LONG, riskLabels: [{ label: FORGED, ...HOSTILE }] },
    ...{ person: { firstName: "Ada", ...HOSTILE }, document: { type: MARKUP, more: HOSTILE }, [MARKUP]: HOSTILE },
  };
  const medium = { id: mediaId, context: FORGED, mimetype: MARKUP, size: 1, url: "x", sessionId: id };
  const attempt = { id: attemptId, status: MARKUP, createdTime: FORGED, userDefinedData: [HOSTILE] };
  const answers: readonly Interceptor[] = [
    answering(new RegExp(`${id}/decision$`), () => ({ status: "success", verification, technicalData: {} })),
    answering(/\/attempts$/, () => ({ status: "success", verifications: [attempt] })),
    answering(/\/attempts\/[^/]+\/media$/, () => ({ status: "success", images: [medium], videos: [] })),
    answering(/\/watchlist-screening$/, () => ({ status: "success", data: { matchStatus: FORGED, hits: [HOSTILE] } })),
    (request, response) => {
      if (!request.url!.endsWith(`/media/${mediaId}`)) return false;
      response.writeHead(403, { "Content-Type": "application/json" }).end("{}");
      return true;
    },
  ];
  sandbox.intercept((request, response) => {
    return answers.some((answer) => answer(request, response));
  });
  return sandbox;
}

describe("hostile words in the dossiers of each provider", { skip: withoutChromium }, () => {
  let browser: Browser | undefined;
  after(() => browser?.close());

  for (const [kind, start] of [
    ["stripe", hostileStripe],
    ["onfido", hostileOnfido],
    ["veriff", hostileVeriff],
  ] as const)
    for (const width of [1280, 390])
      test(`${kind}, ${width} px wide: they are text, they are the provider's, and they stay in their place`, async () => {
        browser ??= await startChromium();
        await using sandbox: Provider & AsyncDisposable & { ids(): string[] } = await start();
        const own = "integrationKey" in sandbox ? { integrationKey: sandbox.integrationKey } : {};
        await using place = await makeWorkplace(sandbox, { client: { source: { kind, ...own } } });
        await writeFile(place.path("ids"), sandbox.ids()[0]!, { mode: 0o600 });
        const list = kind === "veriff" ? ["--ids", place.path("ids")] : [];
        const filled = await place.here(kind === "veriff" ? "backfill" : "export", list);
        assert.equal(filled.code, 0, filled.stderr);
        const bag = place.path("bag");
        const why = ["--case", "1", "--requested-by", "Ada", "--reason", "why", "--out", bag];
        const ended = await place.here("retrieve", [...why, "--identity", sandbox.ids()[0]!]);
        assert.equal(ended.code, 0, ended.stderr);
        await using viewer = await ViewerPage.open(browser, { viewport: { width, height: 900 } });
        const { page } = viewer;
        await viewer.give({ bag, key: place.officer.file });
        await page.locator("#checks").waitFor();

        // All of it is there, as text.
        const shown = (await page.locator("#result").textContent())!;
        assert.ok(shown.includes(`onerror="document.title='run'"`), "the markup is text");
        assert.equal(await page.title(), "Holdfast: evidence");
        assert.equal(await page.locator("#result b, #result img[src='x']").count(), 0);
        assert.deepEqual(obeyed(shown), []);
        assert.ok(shown.includes("\\u202e"));
        const attributes = await page.evaluate(
          `[...document.querySelectorAll("#result *")].flatMap((e) => [...e.attributes].map((a) => a.value)).join("")`,
        );
        assert.deepEqual(obeyed(attributes as string), []);

        // Nothing of it is a mark of the page, or looks like what Holdfast wrote.
        const marks = await page.locator("[aria-labelledby=checks] .badge").allTextContents();
        for (const mark of marks) assert.match(mark, /^(Clear|Verified|Unverified|Consider|Approved|Review|Caution)$/);
        assert.deepEqual(await page.locator(".own tbody th").allTextContents(), ["Fetched", "Legal basis"]);
        for (const heading of await page.locator(".provided .group th").allTextContents())
          assert.match(heading, / from the provider$/);

        // Nothing sticks out.
        assert.ok(((await page.evaluate("document.documentElement.scrollWidth")) as number) <= width);
        const leaving = `[...document.querySelectorAll(".value, .group th, figcaption, .withheld li, tbody th")]
          .filter((e) => e.scrollWidth > Math.ceil(e.clientWidth) + 1).map((e) => e.textContent.slice(0, 40))`;
        assert.deepEqual(await page.evaluate(leaving), []);
        if (kind === "onfido")
          assert.match((await page.locator(".withheld").textContent())!, /“Clear” written by holdfast\\n/);
      });
});
