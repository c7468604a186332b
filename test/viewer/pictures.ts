/**
 * The pictures of the README, of invented people: `npx node test/viewer/pictures.ts`. With a folder it makes pictures of
 * every page there too, at each width, dark and on paper, for people who change a page.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { assessErasure, writeLetter } from "../../jobs/erasure.ts";
import { exportClients } from "../../jobs/export.ts";
import { placeHold } from "../../jobs/hold.ts";
import { purge } from "../../jobs/purge.ts";
import { endRelationship } from "../../jobs/relationship.ts";
import { report } from "../../jobs/report.ts";
import { retrieve } from "../../jobs/retrieve.ts";
import { verify } from "../../jobs/verify.ts";
import { systemClock } from "../../src/core/clock.ts";
import { paths } from "../bag/bag-lists.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startPersona } from "../sandbox/persona/server.ts";
import { startSandbox } from "../sandbox/server.ts";
import { startChromium } from "../servers/chromium.ts";
import { ViewerPage } from "./viewer-page.ts";

const NO_ONE = { identities: [], emails: [], references: [], subjects: [] };
const daysAgo = (days: number) => () => systemClock().subtract({ hours: 24 * days });
const COMPANY = { name: "Acme Bank AG", contact: "Data protection officer, dpo@acme-bank.example" };
const IMAGES = join(import.meta.dirname, "../../docs/images");
const PICTURE = { width: 1280, height: 1200 };
const [folder] = process.argv.slice(2);
/** The night, in days ago, in which the bank adds another provider. */
const ADDED = 9;
/** A customer of both. */
const BOTH = 12;

await using sandbox = await startSandbox({ identities: 40, seed: 7, withhold: 2 });
/** The provider after it: some of its people are customers of both. */
await using persona = await startPersona({ identities: 20, seed: 7, repeats: 0, searchDelay: 0 });
await using place = await makeWorkplace(sandbox, { client: { company: COMPANY } });
let here = await session(place);
const subjects = await history();
const vkey = await logKey(place);
const browser = await startChromium();
try {
  await mkdir(IMAGES, { recursive: true });
  const out = place.path("report.html");
  await report(here, { out, offline: false });
  const page = await browser.newPage({ viewport: PICTURE });
  await page.goto(pathToFileURL(out).href);
  await page.screenshot({ path: join(IMAGES, "report.png") });
  await page.close();
  const few = await bag("few", subjects.slice(0, 2), [sandbox.identity(BOTH).owner!.email!]);
  await using viewer = await ViewerPage.open(browser, { viewport: PICTURE });
  await viewer.give({ bag: few, key: place.officer.file, vkey });
  await viewer.page.locator("nav button", { has: viewer.page.getByText(/^Persona,/) }).click();
  await viewer.page.locator(".person > header", { hasText: "Persona inquiry" }).waitFor();
  await settled(viewer.page);
  await viewer.page.evaluate("document.querySelector('#result').scrollIntoView({ behavior: 'instant' })");
  await viewer.page.screenshot({ path: join(IMAGES, "viewer.png") });
  if (folder !== undefined) await everyPage(folder, { report: out, few });
} finally {
  await browser.close();
}

/** Some months of a bank's life: exports, a failed night, a new provider, changes, ended relationships, a hold. */
async function history(): Promise<string[]> {
  const at = (days: number) => ({ ...here, now: daysAgo(days) });
  await exportClients(at(200), {});
  for (const days of [172, 140, 110, 80, 55]) {
    sandbox.change(3);
    await exportClients(at(days), {});
  }
  for (let days = 30; days >= 0; days--) {
    if (days === 12) continue;
    if (days === ADDED) await addPersona();
    if (days < ADDED && days % 2 === 0) persona.change(3);
    if (days % 3 !== 1) sandbox.change((days % 5) + 1);
    if (days === 20) sandbox.add(4);
    await exportClients(at(days), {});
  }
  const all = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
  for (const [index, date] of ["2026-03-31", "2026-05-15", "2025-11-30"].entries())
    await endRelationship(here, {
      ...NO_ONE,
      subjects: all.slice(5 + index, 6 + index),
      date,
      beforeVerification: true,
    });
  await placeHold(here, { ...NO_ONE, subjects: all.slice(9, 11), case: "AZ 77/26", reason: "an inquiry" });
  await verify(here, { readData: 100 });
  return all;
}

/** Persona is the new provider, beside the old one. */
async function addPersona(): Promise<void> {
  await writeFile(place.path("keys/persona"), persona.apiKey, { mode: 0o600 });
  const added = { kind: "persona", url: persona.url, apiKey: "file:./keys/persona", rate: "10000/s", concurrency: 8 };
  await place.configure({ source: undefined, sources: [place.config.clients[0]!.source, added] });
  here = await session(place);
}

async function logKey(at: Workplace): Promise<string> {
  return JSON.parse(await readFile(at.path("vault/acme-bank/vault.json"), "utf8")).log.vkey;
}

async function bag(name: string, of: readonly string[], emails: readonly string[] = []): Promise<string> {
  const why = { case: "2026-117", requestedBy: "FIU Berlin", reason: "Request of 3 November 2026" };
  await retrieve(here, { ...NO_ONE, subjects: of, emails, ...why, versions: { kind: "all" }, out: place.path(name) });
  return place.path(name);
}

async function settled(page: Page): Promise<void> {
  await page
    .locator("figure img")
    .first()
    .waitFor({ timeout: 3_000 })
    .catch(() => {});
  await page.waitForTimeout(300);
}

async function everyPage(to: string, pages: { readonly report: string; readonly few: string }): Promise<void> {
  await mkdir(to, { recursive: true });
  const certificate = await destroyed();
  const files = { report: pages.report, certificate, day: await firstDay(), ...(await letters()) };
  for (const [name, file] of Object.entries(files)) {
    const [width, height] = [1280, 900];
    const page = await browser.newPage({ viewport: { width, height } });
    await page.goto(pathToFileURL(file).href);
    await shots(page, to, name);
    await page.close();
  }
  const many = await bag("many", subjects.slice(0, 24));
  const tampered = await bag("tampered", subjects.slice(3, 5));
  const record = (await paths(tampered)).find((path) => path.startsWith("data/records/"))!;
  const bytes = await readFile(join(tampered, record));
  bytes[bytes.length - 5]! ^= 1;
  await writeFile(join(tampered, record), bytes);
  for (const [name, of] of Object.entries({ few: pages.few, many, tampered })) {
    await using viewer = await ViewerPage.open(browser, { viewport: { width: 1280, height: 900 } });
    await viewer.give({ bag: of, key: place.officer.file, vkey });
    await settled(viewer.page);
    await shots(viewer.page, to, `viewer-${name}`);
  }
}

async function shots(page: Page, to: string, name: string): Promise<void> {
  const shot = (as: string) =>
    page.screenshot({
      path: join(to, `${name}-${as}.png`),
      fullPage: true,
      clip: { x: 0, y: 0, width: as === "390" ? 390 : 1280, height: 3_000 },
    });
  await shot("1280");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot("dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 800 });
  await settled(page);
  await shot("390");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.pdf({ path: join(to, `${name}.pdf`), preferCSSPageSize: true, printBackground: true });
}

/** A vault of its own, six years old: what was purged of it. */
async function destroyed(): Promise<string> {
  await using old = await makeWorkplace(sandbox, {
    client: {
      company: COMPANY,
      retention: { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" },
    },
  });
  const then = await session(old);
  await exportClients(then, {});
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await purge(then, place.path("destroyed"));
  return place.path("destroyed/certificate.html");
}

async function firstDay(): Promise<string> {
  await using young = await makeWorkplace(sandbox, { client: { company: COMPANY } });
  const first = await session(young);
  await exportClients(first, {});
  await report(first, { out: place.path("day.html"), offline: false });
  return place.path("day.html");
}

/** The reply to someone who must wait, to someone whose end is known, and to someone under a hold. */
async function letters(): Promise<Record<string, string>> {
  const made: Record<string, string> = {};
  for (const [name, index] of Object.entries({ kept: 0, ended: 5, held: 9 })) {
    const { people } = await assessErasure(here, { ...NO_ONE, subjects: [subjects[index]!] });
    made[`letter-${name}`] = place.path(`${name}.html`);
    await writeLetter(here, people, place.path(`${name}.html`));
  }
  return made;
}
