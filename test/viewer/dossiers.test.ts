import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Onfido, startOnfido } from "../sandbox/onfido/server.ts";
import { type Persona, startPersona } from "../sandbox/persona/server.ts";
import { type StripeSandbox, startStripe } from "../sandbox/stripe/server.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { ViewerPage } from "./viewer-page.ts";

const PEOPLE = { identities: 30, plainImages: true };

interface Row {
  readonly group: string;
  readonly name: string;
  readonly value: string;
  /** How far the name is set in, in pixels. */
  readonly indent: number;
}

/** The rows of a section, as a person reads them. */
async function rowsIn(page: Page, section: "checks" | "data"): Promise<Row[]> {
  return page.evaluate(`[...document.querySelectorAll("[aria-labelledby='${section}'] .provided tbody")].flatMap((body) => {
    const group = body.querySelector(".group th").innerText.replace(/\\s*from the provider$/, "");
    return [...body.querySelectorAll("tr:not(.group)")].map((row) => ({
      group,
      name: row.querySelector("th").innerText,
      value: row.querySelector("td.is").innerText,
      indent: parseFloat(getComputedStyle(row.querySelector("th")).paddingLeft),
    }));
  })`);
}

const valuesOf = (rows: readonly Row[], group: string, name: string): string[] =>
  rows.filter((row) => row.group === group && row.name === name).map(({ value }) => value);

describe("a dossier in the page", { skip: withoutChromium }, () => {
  let browser: Browser;
  let stripe: StripeSandbox;
  let onfido: Onfido;
  let persona: Persona;
  const places: Workplace[] = [];
  let [atStripe, atOnfido, atPersona] = [] as unknown as [Workplace, Workplace, Workplace];
  let bags = 0;

  before(async () => {
    [stripe, onfido, persona] = await Promise.all([
      startStripe({ ...PEOPLE, repeats: 0 }),
      startOnfido(PEOPLE),
      startPersona({ ...PEOPLE, repeats: 0 }),
    ]);
    for (const [kind, sandbox] of Object.entries({ stripe, onfido, persona }))
      places.push(await makeWorkplace(sandbox, { client: { source: { kind } } }));
    [atStripe, atOnfido, atPersona] = places as [Workplace, Workplace, Workplace];
    onfido.intercept((request, response) => {
      if (!request.url!.includes(`/documents/${withheldDocument()}/download`)) return false;
      response.writeHead(403, { "Content-Type": "application/json" }).end(`{"error":{"type":"authorization_error"}}`);
      return true;
    });
    await Promise.all(places.map((place) => place.export()));
    browser = await startChromium();
  });
  after(async () => {
    await browser?.close();
    for (const each of [...places, stripe, onfido, persona]) await each?.[Symbol.asyncDispose]();
  });

  /** The back of a document whose front is not withheld. */
  const withheldDocument = (): string => String(documentsOf(sidesIndex()).find(({ side }) => side === "back")!.id);
  const documentsOf = (index: number) =>
    onfido.objects(index).filter((each) => "side" in (each as object)) as { id: string; side: string; type: string }[];
  const sidesIndex = (): number => indexOf(onfido.ids(), (at) => documentsOf(at).some(({ side }) => side === "back"));

  async function open(place: Workplace, identity: string): Promise<ViewerPage> {
    const bag = place.path(`bag-${bags++}`);
    const why = ["--case", "1", "--requested-by", "Ada", "--reason", "why", "--out", bag];
    const ended = await place.here("retrieve", [...why, "--identity", identity]);
    assert.equal(ended.code, 0, ended.stderr);
    const viewer = await ViewerPage.open(browser);
    await viewer.give({ bag, key: place.officer.file });
    await viewer.page.locator("#data").waitFor();
    return viewer;
  }

  const captions = (page: Page): Promise<string[]> => page.locator("figcaption strong").allTextContents();

  test("Stripe: each check of each attempt with its result, reason and time; pictures by what they show", async () => {
    const index = indexOf(stripe.ids(), (at) => stripe.reports(at).some(({ selfie }) => selfie?.error));
    const reports = stripe.reports(index);
    await using viewer = await open(atStripe, stripe.ids()[index]!);
    const { page } = viewer;
    const rows = await rowsIn(page, "checks");
    assert.deepEqual(
      new Set(valuesOf(rows, "Verification session", "Require matching selfie")),
      new Set([reports[0]!.selfie ? "yes" : "no"]),
    );
    const results = rows.filter(({ name }) => name === "Result").map(({ value }) => value.toLowerCase());
    const parts = reports.flatMap((report) =>
      (["document", "selfie", "id_number", "email", "phone"] as const).flatMap((part) => report[part]?.status ?? []),
    );
    assert.deepEqual(results.toSorted(), parts.toSorted());
    const failed = parts.filter((status) => status === "unverified").length;
    assert.match((await page.locator(".outcome").textContent())!, new RegExp(`Checks ${failed} unverified`));
    assert.ok(rows.some(({ name, value }) => name === "Reason" && value === "The selfie and the document differ."));
    // A time is a date, and there once for each check.
    const text = await viewer.text();
    for (const { created } of reports) assert.ok(!text.includes(String(created)));
    for (const label of ["Dob", "Unparsed", "client_reference_id"]) assert.ok(!text.includes(label), label);
    const files = await captions(page);
    assert.match(files[0]!, /^“(ID card|Passport|Driving license)”, picture 1/);
    assert.match(files.at(-1)!, /^Selfie/);
  });

  test("Stripe: several attempts are numbered", async () => {
    const index = indexOf(stripe.ids(), (at) => stripe.reports(at).length === 2);
    await using viewer = await open(atStripe, stripe.ids()[index]!);
    const attempts = (await rowsIn(viewer.page, "checks")).filter(({ name }) => name === "Attempt");
    assert.deepEqual(new Set(attempts.map(({ value }) => value)), new Set(["2 of 2", "1 of 2"]));
  });

  test("versions of the same time are told apart", async () => {
    const [index] = stripe.change([indexOf(stripe.ids(), (at) => stripe.session(at).status === "processing")]);
    await atStripe.export();
    await using viewer = await open(atStripe, stripe.ids()[index!]!);
    const { page } = viewer;
    const options = await page.locator("#version option").allTextContents();
    assert.deepEqual(new Set(options.map((name) => name.replace(/^.* UTC/, ""))), new Set([" (1 of 2)", " (2 of 2)"]));
    assert.match(await viewer.text(), /\d+ values? changed; marked on this page/);
  });

  test("Onfido: a report's breakdown is a tree, with what needs a look marked in it", async () => {
    const reportsOf = (at: number) =>
      onfido.objects(at).filter((each) => (each as { name?: string }).name === "document") as { result: string }[];
    const index = indexOf(onfido.ids(), (at) => reportsOf(at).some(({ result }) => result === "consider"));
    await using viewer = await open(atOnfido, onfido.id(index));
    const { page } = viewer;
    const rows = await rowsIn(page, "checks");
    const at = rows.findIndex(({ group, name }) => group === "Report: “Document”" && name === "Data validation");
    const [parent, child] = rows.slice(at, at + 2) as [Row, Row];
    assert.deepEqual([parent.value, child.name, child.value], ["Consider", "Document expiration", "Consider"]);
    assert.ok(child.indent > parent.indent && parent.indent > rows[0]!.indent);
    assert.deepEqual(valuesOf(rows, "Report: “Document”", "Data comparison"), ["Clear"]);
    assert.match((await page.locator(".outcome").textContent())!, /Checks \d+ consider/);
    // What is among the checks is not among the data points as well.
    const data = await rowsIn(page, "data");
    assert.deepEqual(
      data.filter(({ name }) => /Breakdown|^Report/.test(name)),
      [],
    );
    const applicant = data.filter(({ group }) => group === "Applicant");
    assert.match(applicant.find(({ name }) => name === "Same as Identity")!.value, /^First name, Last name/);
  });

  test("Onfido: a run with what its tasks found, each once; consents and times in words", async () => {
    const index = indexOf(onfido.ids(), (at) => onfido.run(at)?.status === "approved");
    await using viewer = await open(atOnfido, onfido.id(index));
    const rows = await rowsIn(viewer.page, "checks");
    assert.deepEqual(valuesOf(rows, "Workflow run", "Status"), ["Approved"]);
    assert.deepEqual(valuesOf(rows, "Task: “Document check”", "Result"), ["Clear"]);
    assert.deepEqual(valuesOf(rows, "Task: “Face check motion”", "Score"), ["0.93"]);
    assert.doesNotMatch(await viewer.text(), /\d{4}-\d\d-\d\dT|\+00:00/);
  });

  test("Onfido: front, back, face, video, evidence; and what was withheld, with the reason", async () => {
    await using viewer = await open(atOnfido, onfido.id(sidesIndex()));
    const { page } = viewer;
    const files = await captions(page);
    const order = [/, front/, /Live photo/, /Live video|Motion capture/, /Signed evidence/].map((kind) =>
      files.findIndex((name) => kind.test(name)),
    );
    const there = order.filter((at) => at >= 0);
    assert.ok(there.length >= 3, files.join());
    assert.deepEqual(
      there,
      there.toSorted((one, other) => one - other),
      files.join(),
    );
    assert.match(await viewer.text(), /1 file of the provider is not in the vault/);
    const withheld = await page.locator(".withheld li").allTextContents();
    assert.equal(withheld.length, 1);
    assert.match(
      withheld[0]!,
      /^“[A-Z][a-z ]+”, back: The provider refused to hand it out to the key that Holdfast has\.$/,
    );
  });

  test("Persona: every single check; a time once; a value that several parts have, once", async () => {
    const index = indexOf(persona.ids(), (at) => persona.inquiry(at).attributes.status === "approved");
    const id = String(persona.inquiry(index).id);
    await using viewer = await open(atPersona, id);
    const [checks, data] = [await rowsIn(viewer.page, "checks"), await rowsIn(viewer.page, "data")];
    assert.deepEqual(valuesOf(checks, "Verification: “Government ID”", "ID tamper detection"), ["Passed"]);
    const names = [...checks, ...data].map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => /\bts$|Name first|Birthdate/i.test(name)),
      [],
    );
    const numbers = data.filter(({ name }) => name === "Document number").map(({ value }) => value);
    assert.equal(new Set(numbers).size, numbers.length, numbers.join());
    assert.ok(data.some(({ group, name }) => group === "Inquiry" && name.startsWith("Same as ")));
  });

  test("every answer stays in the page, whatever of it is shown above", async () => {
    const index = indexOf(onfido.ids(), (at) => onfido.run(at)?.status === "approved");
    await using viewer = await open(atOnfido, onfido.id(index));
    const answers = (await viewer.page.locator(".answers details.raw pre").allTextContents()).join("\n");
    assert.ok(answers.includes(String(onfido.run(index)!.workflow_version_id)));
    assert.ok(answers.includes(String(onfido.applicant(index).created_at)));
  });
});

/** The first of these with this property, which one must have. */
function indexOf(ids: readonly string[], has: (index: number) => boolean): number {
  const index = ids.findIndex((_, at) => has(at));
  assert.notEqual(index, -1);
  return index;
}
