import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { assessErasure, writeLetter } from "../../jobs/erasure.ts";
import { placeHold } from "../../jobs/hold.ts";
import { endRelationship } from "../../jobs/relationship.ts";
import { systemClock } from "../../src/core/clock.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";

const NO_ONE = { identities: [], emails: [], references: [], subjects: [] };
const COMPANY = { name: 'Acme & Söhne "Bank" AG', contact: "dpo@acme-bank.example" };

describe("erasure assess --out", { skip: withoutChromium }, () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let browser: Browser;
  let subjects: string[];

  before(async () => {
    sandbox = await startSandbox({ identities: 4, plainImages: true });
    place = await makeWorkplace(sandbox, { client: { company: COMPANY } });
    await place.export();
    subjects = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
    browser = await startChromium();
  });
  after(async () => {
    await browser?.close();
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  async function letter(at: Workplace, name: string, subject: string): Promise<string> {
    const out = at.path(`${name}.html`);
    const { code, stderr } = await at.here("erasure", ["assess", "--subject", subject, "--out", out]);
    assert.equal(code, 0, stderr);
    assert.equal((await stat(out)).mode & 0o777, 0o600);
    return out;
  }

  /** What is read on paper. */
  async function printed(file: string): Promise<string> {
    const page = await browser.newPage();
    try {
      await page.goto(pathToFileURL(file).href);
      await page.emulateMedia({ media: "print" });
      // biome-ignore lint/performance/useDomNodeTextContent: what a person sees, and only that
      return (await page.locator("main").innerText()).replaceAll(/\s+/g, " ");
    } finally {
      await page.close();
    }
  }

  test("while the relationship lasts: which law, for how long, one month, and the person's rights; nothing personal", async () => {
    const file = await letter(place, "lasts", subjects[0]!);
    const words = await printed(file);
    for (const said of [
      COMPANY.name,
      COMPANY.contact,
      "This is our reply (Article 12(3) GDPR)",
      "used for nothing but this legal duty",
      "Regulation (EU) 2024/1624 Art. 77",
      "Article 17(3)(b) GDPR",
      "kept 5 years from the end of the business relationship",
      "Article 15 GDPR",
      "supervisory authority",
    ])
      assert.ok(words.includes(said), said);
    // Whether the reply is in time is not known here.
    assert.doesNotMatch(words, /within one month/);
    // The token is for the officer: it is not printed.
    const text = await readFile(file, "utf8");
    assert.ok(text.includes(subjects[0]!) && !words.includes(subjects[0]!));
    for (const personal of sandbox.canaries()) assert.ok(!text.includes(personal), personal);
  });

  test("a known end: until which day", async () => {
    await endRelationship(await session(place), {
      ...NO_ONE,
      subjects: [subjects[1]!],
      date: "2026-10-31",
      beforeVerification: true,
    });
    const words = await printed(await letter(place, "ended", subjects[1]!));
    assert.match(words, /until \d+ \w+ 2031, because your relationship .* ended on 31 October 2026/);
  });

  test("a legal hold: the letter does not tell the person of it, the officer reads that it is there", async () => {
    await placeHold(await session(place), {
      ...NO_ONE,
      subjects: [subjects[2]!],
      case: "AZ 7/26",
      reason: "an inquiry",
    });
    const file = await letter(place, "held", subjects[2]!);
    const words = await printed(file);
    assert.match(
      words,
      /may not erase these copies at present \(Article 17\(3\) GDPR\). The law requires us to keep them/,
    );
    assert.match(words, /Article 17\(3\)\(b\) and \(e\) GDPR/);
    assert.doesNotMatch(words, /hold is|legal hold/i);
    assert.match(await readFile(file, "utf8"), /A legal hold is in effect \(1 case\)/);
  });

  test("no record has these details: the letter says so, the exit code stays 2; not if one of them is known", async () => {
    const out = place.path("unknown.html");
    const asked = ["--email", "stranger@example.com", "--identity", "00000000-0000-4000-8000-000000000000"];
    const { code, stderr } = await place.here("erasure", ["assess", ...asked, "--out", out]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /the vault has no one with/);
    assert.match(await printed(out), /We hold no copies of an identity verification under the details you gave\./);
    assert.doesNotMatch(await readFile(out, "utf8"), /stranger@|00000000-0000|undefined/);
    const partly = place.path("partly.html");
    const known = await place.here("erasure", ["assess", ...asked, "--subject", subjects[0]!, "--out", partly]);
    assert.equal(known.code, 2);
    await assert.rejects(stat(partly), { code: "ENOENT" });
  });

  test("only a legal hold keeps them: the letter claims no duty to keep, and the officer reads why", async () => {
    const retention = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };
    await using short = await makeWorkplace(sandbox, { client: { company: COMPANY, retention } });
    await short.export();
    const subject = await short.subject(sandbox.ids()[0]!);
    const here = await session(short);
    await placeHold(here, { ...NO_ONE, subjects: [subject], case: "AZ 7/26", reason: "an inquiry" });
    const out = short.path("held.html");
    const later = { ...here, now: () => systemClock().add({ hours: 72 }) };
    const { people } = await assessErasure(later, { ...NO_ONE, subjects: [subject] });
    await writeLetter(later, people, out);
    const words = await printed(out);
    assert.match(words, /We may not erase these copies at present \(Article 17\(3\) GDPR\)/);
    assert.doesNotMatch(words, /law requires|legal duty|legal hold/);
    assert.match(
      await readFile(out, "utf8"),
      /The retention period ended on 20\d\d-\d\d-\d\d. Only the legal hold keeps/,
    );
  });

  test("the report, its footer on paper, and the bag's README name the company", async () => {
    const report = place.path("report.html");
    assert.equal((await place.here("report", ["--out", report])).code, 0);
    assert.ok((await printed(report)).startsWith(`Report on identity records ${COMPANY.name}`));
    assert.match(await readFile(report, "utf8"), /@bottom-left \{ content: "Acme /);
    const bag = place.path("bag");
    const why = ["--case", "1", "--requested-by", "Ada", "--reason", "why"];
    assert.equal((await place.here("retrieve", [...why, "--subject", subjects[0]!, "--out", bag])).code, 0);
    assert.ok((await readFile(join(bag, "README.txt"), "utf8")).startsWith(`Identity records of ${COMPANY.name}\n`));
  });

  test("a file that is there, and several people: code 2, and nothing is written", async () => {
    const file = await letter(place, "twice", subjects[0]!);
    const before = await readFile(file, "utf8");
    const again = await place.here("erasure", ["assess", "--subject", subjects[3]!, "--out", file]);
    assert.equal(again.code, 2, again.stderr);
    assert.equal(await readFile(file, "utf8"), before);
    const two = ["--subject", subjects[0]!, "--subject", subjects[3]!, "--out", place.path("two.html")];
    const both = await place.here("erasure", ["assess", ...two]);
    assert.equal(both.code, 2, both.stderr);
    await assert.rejects(stat(place.path("two.html")), { code: "ENOENT" });
  });

  test("after a purge: the day, and the number of the certificate; the certificate names the company too", async () => {
    const retention = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };
    await using short = await makeWorkplace(sandbox, { client: { company: COMPANY, retention } });
    await short.export();
    await delay(2_100);
    const out = short.path("destroyed");
    assert.equal((await short.here("retention", ["purge", "--confirm", "--out", out])).code, 0);
    const certificate = JSON.parse(await readFile(join(out, "certificate.json"), "utf8"));
    assert.deepEqual(certificate.company, COMPANY);
    const number = `acme-bank/${certificate.runs[0]}`;
    const page = await printed(join(out, "certificate.html"));
    for (const said of [COMPANY.name, COMPANY.contact, `No. ${number}`, "Approved by", "Signature"])
      assert.ok(page.includes(said), said);
    assert.equal((await short.here("verify", [out])).code, 0);
    const byEmail = short.path("by-email.html");
    const asked = await short.here("erasure", [
      "assess",
      "--email",
      [...sandbox.canaries()].find((text) => /^\S+@/.test(text))!,
      "--out",
      byEmail,
    ]);
    assert.equal(asked.code, 2, asked.stderr);
    assert.match(await printed(byEmail), /We hold no copies of an identity verification under the details you gave/);
    const words = await printed(await letter(short, "gone", await short.subject(sandbox.ids()[0]!)));
    assert.match(words, /destroyed all copies on \d+ \w+ \d{4}/);
    assert.ok(words.includes(`no. ${number}`), words);
  });
});
