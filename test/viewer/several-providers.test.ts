import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startPersona } from "../sandbox/persona/server.ts";
import { startSandbox } from "../sandbox/server.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { ViewerPage } from "./viewer-page.ts";

const PEOPLE = 3;

describe("one customer of two providers, in the page", { skip: withoutChromium }, () => {
  let place: Workplace;
  let browser: Browser;
  let bag: string;
  let inquiry: string;
  let identity: string;

  before(async () => {
    await using passbase = await startSandbox({ identities: PEOPLE, plainImages: true });
    await using persona = await startPersona({ identities: PEOPLE, repeats: 0, plainImages: true });
    persona.restrict({ blocklist: ["note"] });
    place = await makeWorkplace(passbase, { client: { source: undefined, sources: [] }, init: false });
    await writeFile(place.path("keys/persona"), persona.apiKey, { mode: 0o600 });
    const common = { rate: "10000/s", concurrency: 8 };
    await place.configure({
      sources: [
        { kind: "passbase", url: passbase.url, apiKey: "file:./keys/provider", ...common },
        { kind: "persona", url: persona.url, apiKey: "file:./keys/persona", ...common },
      ],
    });
    await place.expect(0, "init");
    await place.expect(0, "export");
    [identity, inquiry] = [passbase.ids()[0]!, String(persona.inquiry(0).id)];
    bag = place.path("bag");
    const asked = ["--case", "1", "--requested-by", "Ada", "--reason", "why", "--out", bag];
    const ended = await place.here("retrieve", [...asked, "--email", passbase.identity(0).owner!.email!]);
    assert.equal(ended.code, 0, ended.stderr);
    browser = await startChromium();
  });
  after(async () => {
    await browser?.close();
    await place?.[Symbol.asyncDispose]();
  });

  test("before a key is given, the list and the page say by the log which source, and that both are one customer", async () => {
    await using viewer = await ViewerPage.open(browser);
    const { page } = viewer;
    await viewer.give({ bag });
    assert.match(await viewer.text(), /Contains\s+2 verifications/);
    assert.doesNotMatch(await viewer.text(), /2 people/);
    for (const [source, other] of [
      ["passbase", "persona"],
      ["persona", "passbase"],
    ] as const) {
      const row = page.locator("nav li", { hasText: new RegExp(`Token [0-9a-f]{8}…${source},`) });
      assert.match((await row.textContent())!, new RegExp(`Same customer as Token [0-9a-f]{8}…, ${other}$`));
      await row.locator("button").click();
      const header = page.locator(".person > header", { hasText: `Source ${source}, according to the log` });
      assert.match(
        (await header.locator(".same-customer").textContent())!,
        new RegExp(
          `^Same customer as token [0-9a-f]{8}… \\(${other}\\): the log has the same (?=.*e-mail).* for both\\.$`,
        ),
      );
    }
  });

  test("the folder's text and verify count verifications, not people", async () => {
    assert.match(await readFile(join(bag, "README.txt"), "utf8"), /^Holds {10}2 verifications, 2 records$/m);
    const { code, stdout, stderr } = await place.here("verify", [bag]);
    assert.equal(code, 0, stderr);
    assert.match(stdout + stderr, /holds {5}2 verifications, 2 records/);
  });

  test("the list and the record say whose each is, with the provider's word and id", async () => {
    await using viewer = await ViewerPage.open(browser);
    const { page } = viewer;
    await viewer.give({ bag, key: place.officer.file });
    const rows = page.locator("nav li");
    const said = await rows.locator("span:first-of-type").allTextContents();
    assert.deepEqual(said.map((words) => words.split(", ")[0]).toSorted(), ["Passbase", "Persona"]);
    for (const [name, words] of [
      ["Passbase", `Passbase identity “${identity}”`],
      ["Persona", `Persona inquiry “${inquiry}”`],
    ] as const) {
      await rows.locator("button", { has: page.locator("span:first-of-type", { hasText: name }) }).click();
      await page.locator(".person > header", { hasText: words }).waitFor();
    }
  });

  test("a record of Persona: its parts by their names, reports at a glance, and each answer by its endpoint", async () => {
    await using viewer = await ViewerPage.open(browser);
    const { page } = viewer;
    await viewer.give({ bag, key: place.officer.file });
    await page.locator("nav button", { has: page.locator("span:first-of-type", { hasText: "Persona" }) }).click();
    await page.locator(".person > header", { hasText: "Persona inquiry" }).waitFor();
    const gaps = page.locator(".waiting", { hasText: "not allowed to read" });
    assert.match((await gaps.textContent())!, /^Incomplete: .*“[^”]*note[^”]*”\.$/);
    const headings = (await page.locator(".provided .group th").allTextContents()).map((heading) =>
      heading.replace(/ from the provider$/, ""),
    );
    for (const heading of [
      "Verification: “Government ID”",
      "Document: “Government ID”",
      "Inquiry",
      "Account",
      "Session",
    ])
      assert.ok(headings.includes(heading), `${heading}: ${headings.join()}`);
    assert.match((await page.locator(".outcome").textContent())!, /Reports (No match|Match)/);
    const labels = await page.locator(".provided tbody th[scope=row]").allTextContents();
    assert.ok(labels.includes("User agent"), labels.join());
    assert.ok(
      headings.some((heading) => /^Report: “[A-Z][a-z -]+”$/.test(heading)),
      headings.join(),
    );
    const answers = await page.locator("details.raw summary").allTextContents();
    assert.equal(answers[0], "The provider's answer to “GET /inquiries/{inquiry-id}”");
    assert.ok(answers.length >= 3);
  });
});
