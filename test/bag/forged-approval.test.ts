import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import type { Browser } from "playwright-core";
import { checkBag } from "../../src/bag/reader.ts";
import { formatRequest, parseRequest, type RetrievalRequest } from "../../src/bag/request.ts";
import { type AgeKey, makeAgeKey } from "../export/workplace.ts";
import { anyCharacter } from "../fuzz/character.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { ViewerPage } from "../viewer/viewer-page.ts";
import { fileKey, forge, inOrder, recordOf, SUBJECTS } from "./forge.ts";

/** When the forged bags were made, by their log. */
const PREPARED = Temporal.Instant.from("2026-11-23T10:15:00Z");

const asked: Omit<RetrievalRequest, "made" | "expires" | "holdfast"> = {
  ...{ client: "acme-bank", origin: "acme-bank.example/holdfast", case: "1", requestedBy: "Mallory", reason: "why" },
  ...{ subjects: [...SUBJECTS], versions: { kind: "all" }, salt: "0".repeat(64) },
};
const written = (made: Temporal.Instant, changes: Partial<typeof asked> = {}): string =>
  formatRequest({ ...asked, ...changes }, made);

/** Requests as no one writes them who runs `retrieve`, all of which say the same or nearly the same. */
function rewritten(): Readonly<Record<string, string>> {
  const text = written(PREPARED);
  const value = JSON.parse(text);
  const of = (changed: unknown): string => `${JSON.stringify(changed, null, 2)}\n`;
  return {
    "it expires in 2099": of({ ...value, expires: "2099-01-01T00:00:00Z" }),
    "it expires a second late": of({ ...value, expires: "2026-11-30T10:15:01Z" }),
    "it expires a second early": of({ ...value, expires: "2026-11-30T10:14:59Z" }),
    "it has a reason twice": text.replace('  "reason"', '  "reason": "harmless: a fire drill",\n  "reason"'),
    "a member more": of({ ...value, note: "harmless" }),
    "a member more within": of({ ...value, versions: { asOf: "2026-01-01T00:00:00Z", note: "x" } }),
    "in another order": of(Object.fromEntries(Object.entries(value).reverse())),
    "on one line": `${JSON.stringify(value)}\n`,
    "with a mark before it": `\ufeff${text}`,
    "with a space after it": `${text} `,
    "with an escape": text.replace("Mallory", "Mallor\\u0079"),
    "a time of another form": of({ ...value, made: "2026-11-23T10:15:00.000Z" }),
    "a time with an offset": of({ ...value, made: "2026-11-23T11:15:00+01:00" }),
    "someone in it twice": written(PREPARED, { subjects: [...SUBJECTS, SUBJECTS[0]!] }),
  };
}

test("a request is read back to the byte, whatever its words; no other bytes are one", () => {
  const words = fc.string({ unit: anyCharacter, maxLength: 60 });
  const versions = fc.oneof(
    fc.constantFrom({ kind: "all" } as const, { kind: "latest" } as const),
    fc
      .integer({ min: 0, max: 4e12 })
      .map((ms) => ({ kind: "as-of" as const, at: Temporal.Instant.fromEpochMilliseconds(ms) })),
  );
  const time = fc.integer({ min: 0, max: 4e12 }).map((ms) => Temporal.Instant.fromEpochMilliseconds(ms));
  fc.assert(
    fc.property(words, words, versions, time, fc.nat(), (reason, requestedBy, of, made, at) => {
      const bytes = Buffer.from(written(made, { reason, requestedBy, versions: of }));
      assert.ok(parseRequest(bytes).request.reason === reason);
      const more = Buffer.concat([
        bytes.subarray(0, at % bytes.length),
        Buffer.from(" "),
        bytes.subarray(at % bytes.length),
      ]);
      try {
        // A space within a text is another request; anywhere else it is not a request.
        assert.notDeepEqual(parseRequest(more).request, parseRequest(bytes).request);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "malformed");
      }
    }),
    { numRuns: 200 },
  );
  for (const [what, text] of Object.entries(rewritten()))
    assert.throws(() => parseRequest(Buffer.from(text)), { code: "malformed" }, what);
});

describe("approvals in a bag that a holder of a log key made", () => {
  let folder: string;
  let officer: AgeKey;
  let browser: Browser | undefined;
  let made = 0;
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const approvedBy = `ed25519:${Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url").toString("base64")}`;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-approval-"));
    officer = await makeAgeKey(join(folder, "officer.txt"));
    browser = withoutChromium ? undefined : await startChromium();
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  /** Everything fits: the colleague signed these very bytes, and the log names their digest. */
  async function bagWith(text: string): Promise<string> {
    const bag = join(folder, String(made++));
    await mkdir(join(bag, "evidence"), { recursive: true });
    const bytes = Buffer.from(text);
    await writeFile(join(bag, "evidence/request.json"), bytes);
    await writeFile(join(bag, "evidence/request.sig"), sign(null, bytes, privateKey).toString("base64"));
    const request = createHash("sha256").update(bytes).digest("hex");
    await forge(bag, officer.recipient, {
      ...inOrder(),
      entry: (entry) => (entry.type === "retrieval.prepared" ? { ...entry, request, approvedBy } : entry),
    });
    return bag;
  }

  async function onPage(bag: string): Promise<string> {
    await using viewer = await ViewerPage.open(browser!);
    await viewer.give({ bag });
    const check = await viewer.page.locator(".verdict .checks li", { hasText: "Second person" }).textContent();
    return `${await viewer.verdict()} ${check}`;
  }

  test("from the second it was made to the one before seven days are over; the command line and the page agree", async () => {
    const day = (days: number, seconds: number) => PREPARED.subtract({ seconds: days * 86_400 + seconds });
    for (const [from, good] of [
      [day(0, -1), false],
      [day(0, 0), true],
      [day(7, -1), true],
      [day(7, 0), false],
    ] as const) {
      const bag = await bagWith(written(from));
      if (good) await checkBag(bag);
      else await assert.rejects(checkBag(bag), { code: "unverified" }, String(from));
      if (browser) assert.match(await onPage(bag), good ? /Consistent/ : /not intact.*does not show it/, String(from));
    }
  });

  test("a request that is not, to the byte, what retrieve writes is refused by both", async () => {
    for (const [what, text] of Object.entries(rewritten())) {
      const bag = await bagWith(text);
      await assert.rejects(checkBag(bag), { code: "malformed" }, what);
      if (browser) assert.match(await onPage(bag), /not intact.*does not show it/, what);
    }
  });

  test("a request for another client, another vault or other people", async () => {
    for (const changes of [
      { client: "other" },
      { origin: "other/log" },
      { subjects: SUBJECTS.slice(1) },
      { reason: "x" },
    ]) {
      const bag = await bagWith(written(PREPARED, changes));
      await assert.rejects(checkBag(bag), { code: "unverified" }, JSON.stringify(changes));
      if (browser) assert.match(await onPage(bag), /not intact.*does not show it/, JSON.stringify(changes));
    }
  });

  test("the page: a thousand files of one person, most of them in lines of their own", {
    skip: withoutChromium,
  }, async () => {
    const made = (all: number, change: (entry: { moreFiles?: number }) => unknown) => {
      const of = inOrder();
      const person = of.people[0]!;
      person.files = Array.from({ length: all }, (_, n) => ({
        key: fileKey(SUBJECTS[0]!, n),
        plain: Buffer.from(`${n}`),
      }));
      person.record = recordOf(person.files.map((file) => file));
      person.apart = { count: all * 0.9, each: all * 0.2 };
      return { ...of, people: [person], entry: change };
    };
    const verdicts = [];
    for (const [all, more] of [
      [1_000, 900],
      [100, 91],
    ] as const) {
      const bag = join(folder, `many-${more}`);
      await forge(
        bag,
        officer.recipient,
        made(all, (entry) => (entry.moreFiles ? { ...entry, moreFiles: more } : entry)),
      );
      await using viewer = await ViewerPage.open(browser!);
      const { page } = viewer;
      await page.locator("#folder").setInputFiles(bag);
      await page.locator("#verdict").waitFor({ timeout: 120_000 });
      verdicts.push(await page.locator("#verdict").textContent());
      if (more === 900) {
        await page.locator("#key").setInputFiles(officer.file);
        await page.locator("figure").nth(999).waitFor({ state: "attached", timeout: 120_000 });
        assert.equal(await page.locator("figure").count(), 1_000);
        assert.match((await page.locator(".custody").textContent())!, /200 files of version .*, which follows/);
      }
    }
    assert.match(verdicts[0]!, /consistent|agrees|its own/i);
    assert.match(verdicts[1]!, /not intact/);
  });
});
