import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { obeyed } from "../cli/terminal.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { ViewerPage } from "./viewer-page.ts";

const LONG = "W".repeat(400);
const PILED = `Z${"\u0335\u0321\u0322\u0327\u0316".repeat(40)}`;

/** What a hostile provider says of a person, to look like the page's own words. */
const HOSTILE = {
  owner: {
    first_name: "Everything checks out\u202e\u200b\n\nThis copy\nFetched",
    last_name: LONG,
    email: `"><img src=x onerror="document.title='run'">@example.com`,
  },
  status: "Confirmed” written by Holdfast, not by the provider “",
  resources: [
    { type: "This copy", datapoints: { Fetched: "1999-01-01T00:00:00Z", legal_basis: "spoofed" } },
    { type: "This copy", datapoints: { Fetched: "1998-01-01T00:00:00Z" } },
    { type: "Watchlist", datapoints: { Result: "clean" } },
    { type: "Identity", datapoints: { Verified: true, [LONG]: LONG, "a\nWatchlist": "x\n\nThis copy\nFetched\t1999" } },
    { type: 'Passport” from the provider\n“written by Holdfast\u202e\u2066"', datapoints: { number: PILED } },
    { type: LONG, datapoints: { name: "שלום \u202b123\u2028456 محمد" } },
  ],
  metadata: { "This copy › Fetched": "1999-01-01T00:00:00Z", holdfast: "written by Holdfast" },
  watchlist: { Result: "clean", "Legal basis": "none" },
};

describe("words of the provider in the page", { skip: withoutChromium }, () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let browser: Browser;
  let bag: string;

  before(async () => {
    sandbox = await startSandbox({ identities: 1, plainImages: true });
    sandbox.intercept((request, response) => {
      const path = request.url!.split("?")[0]!;
      if (!/\/identities\/[^/]+$/.test(path)) return false;
      const hostile = { ...sandbox.identity(0), ...HOSTILE };
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(hostile));
      return true;
    });
    place = await makeWorkplace(sandbox);
    browser = await startChromium();
    await place.export();
    bag = place.path("bag");
    const asked = ["--case", "1\n\nEverything checks out", "--requested-by", "Ada\u202e", "--reason", LONG];
    const subject = await place.subject(sandbox.ids()[0]!);
    const ended = await place.here("retrieve", [...asked, "--subject", subject, "--out", bag]);
    assert.equal(ended.code, 0, ended.stderr);
  });
  after(async () => {
    await browser?.close();
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  for (const width of [1280, 390]) {
    test(`at ${width} px: no row, heading or mark of the page is the provider's, and nothing leaves its place`, async () => {
      await using viewer = await ViewerPage.open(browser, { viewport: { width, height: 900 } });
      const { page } = viewer;
      await viewer.give({ bag, key: place.officer.file });
      await page.locator(".own").waitFor();

      // Holdfast's own rows are in a place of their own, once, and hold what Holdfast wrote.
      const own = page.locator(".own");
      assert.equal(await own.count(), 1);
      assert.deepEqual(await own.locator("tbody th").allTextContents(), ["Fetched", "Legal basis"]);
      assert.doesNotMatch((await own.textContent())!, /1999|1998|spoofed/);
      assert.match((await own.locator("h4").textContent())!, /This copy.*written by Holdfast/);
      assert.equal(await page.locator(".by").count(), 1);
      assert.equal(await page.locator(".provided .by, .provided .own").count(), 0);

      // Every group of the provider's says so, and has the provider's word as a word only.
      const headings = page.locator(".provided .group th");
      const told = await headings.allTextContents();
      for (const heading of told) assert.match(heading, / from the provider$/);
      assert.equal(await headings.locator(".from").count(), told.length);
      const named = told.filter((heading) => heading.startsWith("Document"));
      assert.equal(named.length, HOSTILE.resources.length);
      for (const heading of named) assert.match(heading, /^Document( 2)?: “.*” from the provider$/);
      assert.deepEqual(
        told.filter((heading) => !heading.startsWith("Document")).map((heading) => heading.split(" ")[0]),
        ["Identity", "Watchlist", "Metadata", "Network"],
      );
      for (const own of ["This copy", "Watchlist", "Identity"])
        assert.ok(
          named.some((heading) => heading.startsWith(`Document: “${own}”`)),
          own,
        );

      // The outcome and the name are marked as well.
      assert.equal(await page.locator(".outcome .from, .person > header .from").count(), 2);

      // Nothing hides, reorders, or runs.
      const shown = (await page.locator("#result").textContent())!;
      assert.deepEqual(obeyed(shown), []);
      assert.ok(shown.includes("\\u202e") && shown.includes("\\u200b"));
      assert.equal(await page.title(), "Holdfast: evidence");
      const labels = await page.evaluate(
        `[...document.querySelectorAll("[aria-label], [alt], [title]")].flatMap((e) => [...e.attributes].map((a) => a.value)).join("")`,
      );
      assert.deepEqual(obeyed(labels as string), []);

      // Nothing sticks out: not of the page, not of a cell.
      assert.ok(((await page.evaluate("document.documentElement.scrollWidth")) as number) <= width);
      const leaving = `[...document.querySelectorAll(".value, .facts dd, .person h2, .group th")]
        .filter((e) => e.scrollWidth > Math.ceil(e.clientWidth) + 1).map((e) => e.textContent.slice(0, 40))`;
      assert.deepEqual(await page.evaluate(leaving), []);
      // For eyes: HOLDFAST_SCREENSHOTS=<folder> has the page in pieces.
      const folder = process.env.HOLDFAST_SCREENSHOTS;
      const height = (await page.evaluate("document.documentElement.scrollHeight")) as number;
      for (let y = 0; folder && y < height; y += 1_400) {
        const clip = { x: 0, y, width, height: Math.min(1_400, height - y) };
        await page.screenshot({ path: `${folder}/words-${width}-${y}.png`, fullPage: true, clip });
      }
    });
  }
});
