import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { zipSync } from "fflate";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { generateKey } from "../../src/audit/note.ts";
import { buildViewer, VIEWER } from "../../src/viewer/build.ts";
import { paths, relist, resign } from "../bag/bag-lists.ts";
import { CLIENT, makeAgeKey, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { workOnDisk } from "../memory.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { Tsa } from "../servers/tsa.ts";
import { ViewerPage } from "./viewer-page.ts";

workOnDisk();

const run = promisify(execFile);

/** Markup where words belong: it must be shown as it is. */
const REASON = `<img src="http://127.0.0.1:9/leak" onerror="document.title='run'"> & a suspicion`;

test("viewer.html is what its sources give, and of a size that goes into every bag", async (t) => {
  const page = await readFile(VIEWER, "utf8");
  assert.equal(page, await buildViewer(), "sources changed: npm run viewer");
  t.diagnostic(`${page.length} characters`);
  assert.ok(page.length < 300_000);
  // Nothing is fetched: all of it is in the page.
  assert.doesNotMatch(page.replace(/<!--[\s\S]*-->/, ""), /\bimport\(|<link|<script src|@import/);
});

test("colours: text on its ground has the contrast of WCAG AA, light and dark", async () => {
  const css = await readFile(new URL("../../src/viewer/viewer.css", import.meta.url), "utf8");
  const pairs = Map.groupBy(
    css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g),
    ([, name]) => name!,
  );
  const colour = (name: string, scheme: 1 | 2) => pairs.get(name)![0]![1 + scheme]!;
  const texts: [string, string[]][] = [
    ["ink", ["paper", "card", "good-bg", "unsure-bg", "unchecked-bg", "bad-bg", "changed"]],
    ["soft", ["paper", "card"]],
    ["accent", ["paper", "card"]],
    ["on-accent", ["accent"]],
    ["soft", ["changed"]],
    ["card", ["good", "unsure", "unchecked", "bad"]],
    ...(["good", "unsure", "unchecked", "bad"] as const).map((name): [string, string[]] => [
      name,
      [`${name}-bg`, "card"],
    ]),
  ];
  for (const scheme of [1, 2] as const) {
    for (const [text, grounds] of texts) {
      for (const ground of grounds) {
        const ratio = contrast(colour(text, scheme), colour(ground, scheme));
        assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
  }
});

function contrast(a: string, b: string): number {
  const light = (colour: string) => {
    const [r, g, blue] = [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!;
  };
  const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
  return (bright! + 0.05) / (dark! + 0.05);
}

describe("viewer.html in Chromium", { skip: withoutChromium }, () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let browser: Browser;
  /** Of one person with two versions, and of three. */
  let bag: string;
  let three: string;
  let vkey: string;
  let person: { given: string; family: string };
  let copies = 0;

  before(async () => {
    sandbox = await startSandbox({ identities: 14 });
    place = await makeWorkplace(sandbox);
    browser = await startChromium();
    await place.export();
    const index = withFiles(sandbox);
    sandbox.change([index]);
    await place.export();
    const others = sandbox.ids().filter((_, i) => i !== index);
    bag = await retrieve(place, "bag", [sandbox.ids()[index]!]);
    three = await retrieve(place, "three", [sandbox.ids()[index]!, ...others.slice(0, 2)]);
    assert.deepEqual(await readFile(join(bag, "viewer.html")), await readFile(VIEWER), "every bag has the page");
    vkey = JSON.parse(await readFile(join(bag, "evidence/vault.json"), "utf8")).log.vkey;
    const { first_name: given, last_name: family } = sandbox.identity(index).owner!;
    person = { given: given!, family: family! };
  });
  after(async () => {
    await browser?.close();
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  const open = (options?: BrowserContextOptions) => ViewerPage.open(browser, options);

  async function give(page: Page, what: { bag?: string; key?: string; vkey?: string }): Promise<void> {
    if (what.vkey) {
      await page.locator("#vkey").fill(what.vkey);
      await page.locator("#vkey").blur();
    }
    if (what.bag) {
      await page.locator("#folder").setInputFiles(what.bag);
      await page.locator("#verdict").waitFor();
    }
    if (what.key) {
      await page.locator("#key").setInputFiles(what.key);
      await page.locator("#key-said:not(:empty):not([data-verdict='busy'])").waitFor();
    }
  }

  async function copy(): Promise<string> {
    const to = place.path(`copy-${copies++}`);
    await cp(bag, to, { recursive: true });
    return to;
  }

  const verdict = (page: Page) => page.locator("#verdict").textContent();
  // biome-ignore lint/performance/useDomNodeTextContent: what a person sees, and only that
  const text = (page: Page) => page.locator("#result").innerText();

  async function showsThePerson(page: Page): Promise<void> {
    await page.locator("#person", { hasText: `${person.given} ${person.family}` }).waitFor();
    const images = page.locator("figure img");
    await images.first().waitFor();
    for (const image of await images.all()) {
      await until(page, "[...document.querySelectorAll('figure img')].every((i) => i.complete)");
      assert.ok((await image.evaluate((i: unknown) => (i as { naturalWidth: number }).naturalWidth)) > 100);
    }
    await until(page, "document.querySelector('video')?.readyState >= 1");
    assert.ok(((await page.evaluate("document.querySelector('video').duration")) as number) > 0);
  }

  test("a folder, the officer's key and the log's key: everything is shown, everything checks", async () => {
    await using viewer = await open();
    const { page } = viewer;
    await give(page, { vkey, bag, key: place.officer.file });
    assert.equal(await verdict(page), "Everything checks out");
    await showsThePerson(page);
    const shown = await text(page);
    for (const words of [
      "Date of birth",
      "Watchlist",
      "Metadata from the client",
      "CUST-",
      "2026-117",
      "Ada Auditor",
      REASON,
    ])
      assert.ok(shown.includes(words), words);
    // Two versions side by side.
    assert.match(shown, /\d values? changed/);
    assert.ok((await page.locator("tr.changed").count()) > 0);
    await page.locator("#compared").selectOption("none");
    await until(page, "document.querySelector('table').className === 'data'");
    // Chain of custody: stored twice, then this.
    assert.deepEqual(
      await page.locator(".custody strong").allTextContents(),
      ["Stored, sealed and locked", "Stored, sealed and locked", "Retrieved into this bag"].toSpliced(
        3,
        0,
        ...((await page.locator(".custody strong").count()) > 3 ? ["Retrieved before"] : []),
      ),
    );
    assert.equal(await page.locator(".proof .badge.good").count(), 8);
    // The provider's own verdict on the person is another thing.
    assert.equal(await page.locator("#result .bad:not(.outcome *)").count(), 0);
    assert.equal(await page.title(), "Holdfast: evidence");
  });

  test("a zip, inside another folder too, opens as the folder does; so does a folder that is dropped", async () => {
    const files: Record<string, Uint8Array> = {};
    for (const entry of await readdir(bag, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      files[`for the auditor/bag${path.slice(bag.length)}`] = await readFile(path);
    }
    const zip = place.path("bag.zip");
    await writeFile(zip, zipSync({ ...files, "__MACOSX/x": new Uint8Array(3) }));
    {
      await using viewer = await open();
      await give(viewer.page, { vkey, key: place.officer.file });
      await viewer.page.locator("#zip").setInputFiles(zip);
      await viewer.page.locator("#verdict", { hasText: "Everything checks out" }).waitFor();
      await showsThePerson(viewer.page);
    }
    await using viewer = await open({});
    const devtools = await viewer.page.context().newCDPSession(viewer.page);
    for (const files of [[bag], [place.officer.file]]) {
      for (const type of ["dragEnter", "dragOver", "drop"] as const) {
        const data = { items: [], files, dragOperationsMask: 1 };
        await devtools.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
      }
      await viewer.page.locator("#verdict").waitFor();
    }
    await showsThePerson(viewer.page);
  });

  test("without a key it is checked and stays sealed; without the log's key it says whose word that is", async () => {
    await using viewer = await open();
    const { page } = viewer;
    await give(page, { bag });
    assert.match((await verdict(page))!, /the key came with the bag/);
    const shown = await text(page);
    assert.match(shown, /Sealed\. Add a private key/);
    assert.ok(!shown.includes(person.family));
    assert.match(shown, /Stored, sealed and locked/);
  });

  test("a wrong key, a damaged one, and what is no key, are told apart from a bag that was tampered with", async () => {
    await using viewer = await open();
    const { page } = viewer;
    const other = await makeAgeKey(place.path("other.txt"));
    await give(page, { vkey, bag, key: other.file });
    assert.match(
      (await page.locator("#key-said").textContent())!,
      /opens nothing in this bag\. This was not sealed to any/,
    );
    assert.equal(await verdict(page), "Everything checks out");
    assert.ok(!(await text(page)).includes(person.family));
    // The token is ours.
    assert.doesNotMatch((await page.locator(".person header").textContent())!, /from the provider/);
    await writeFile(place.path("damaged.txt"), other.identity.slice(0, -3));
    await page.locator("#key").setInputFiles(place.path("damaged.txt"));
    await page.locator("#key-said", { hasText: "damaged" }).waitFor();
    await page.locator("#key").setInputFiles(join(bag, "README.txt"));
    await page.locator("#key-said", { hasText: "not an age identity file" }).waitFor();
    await page.locator("#key").setInputFiles(place.escrow.file);
    await showsThePerson(page);
  });

  /** Alters a copy of the bag and gives the path that must be named. */
  const tamperings: Record<string, (copy: string) => Promise<string>> = {
    "a sealed record, one bit": (at) => flip(at, first(at, "data/records")),
    "a sealed file, one bit": (at) => flip(at, first(at, "data/files")),
    "a file gone": (at) => gone(at, first(at, "data/files")),
    "a record gone": (at) => gone(at, first(at, "data/records")),
    "a file added": async (at) => {
      await writeFile(join(at, "data/files/added.age"), "x");
      return "data/files/added.age";
    },
    "a file renamed": async (at) => {
      const path = await first(at, "data/files");
      await rename(join(at, path), join(at, `${path}.bak`));
      return `${path}.bak`;
    },
    "a line of the log": (at) => flip(at, first(at, "evidence/entries"), 30),
    "a proof": (at) => flip(at, first(at, "evidence/proofs"), 60),
    "the checkpoint": (at) => flip(at, "evidence/checkpoint", 40),
    "the signature over the bag": (at) => flip(at, "tagmanifest-sha256.txt.note", 40),
    "a manifest": (at) => flip(at, "manifest-sha256.txt", 3),
    "the tag manifest gone": (at) => gone(at, "tagmanifest-sha256.txt"),
    "the vault's description": (at) => gone(at, "evidence/vault.json"),
    "what was asked": (at) => gone(at, "evidence/retrieval.json"),
    "what was asked, in other words and with all lists made to fit": async (at) => {
      const path = join(at, "evidence/retrieval.json");
      const json = JSON.parse(await readFile(path, "utf8"));
      await writeFile(path, JSON.stringify({ ...json, requestedBy: "Mallory" }));
      await relist(at);
      return "tagmanifest-sha256.txt.note";
    },
    "the same, and signed by who has the log's key": async (at) => {
      const path = join(at, "evidence/retrieval.json");
      const json = JSON.parse(await readFile(path, "utf8"));
      await writeFile(path, JSON.stringify({ ...json, requestedBy: "Mallory" }));
      await resign(at, (await readFile(place.path("keys/log"), "utf8")).trim());
      return "evidence/retrieval.json";
    },
    "a record put in the place of another, with all lists made to fit and signed": async (at) => {
      const [one, two] = (await paths(at)).filter((path) => path.startsWith("data/records"));
      await cp(join(at, one!), join(at, two!));
      await resign(at, (await readFile(place.path("keys/log"), "utf8")).trim());
      return two!;
    },
  };
  for (const [what, alter] of Object.entries(tamperings)) {
    test(`tampered with: ${what}`, async () => {
      const at = await copy();
      const named = await alter(at);
      await using viewer = await open();
      const { page } = viewer;
      await give(page, { vkey, bag: at, key: place.officer.file });
      assert.equal(await verdict(page), "This bag is not intact");
      const problems = await page.locator(".problems code").allTextContents();
      assert.ok(problems.includes(named), `${named} is not among ${problems.join(", ")}`);
    });
  }

  test("what a bag with other bytes holds is not shown, nor what the log is not shown to name", async () => {
    const at = await copy();
    const records = (await paths(at)).filter((path) => path.startsWith("data/records"));
    for (const path of records) await flip(at, path);
    await using viewer = await open();
    await give(viewer.page, { vkey, bag: at });
    await viewer.page.locator("#key").setInputFiles(place.officer.file);
    await viewer.page.locator(".not-opened", { hasText: "Not opened. Changed" }).first().waitFor();
    assert.ok(!(await text(viewer.page)).includes(person.family));
  });

  test("another log key than that of the bag, and what is no key", async () => {
    await using viewer = await open();
    const { page } = viewer;
    await give(page, { bag, vkey: generateKey(`${CLIENT}.example/holdfast`).vkey });
    assert.equal(await verdict(page), "This bag was not signed with the key that you entered");
    assert.doesNotMatch(await text(page), /not intact|Failed/);
    // Pasted, and checked at once: no one knows that a field must be left.
    await page.locator("#vkey").fill(vkey);
    await page.locator("#verdict", { hasText: "Everything checks out" }).waitFor();
    await page.locator("#vkey").fill("holdfast");
    await page.locator("#vkey").blur();
    await page.locator("#vkey-said", { hasText: "This is not a log key" }).waitFor();
  });

  test("a forged bag with a key of its own agrees, and is never said to check", async () => {
    const at = await copy();
    const forger = generateKey(`${CLIENT}.example/holdfast`);
    const vault = join(at, "evidence/vault.json");
    const json = JSON.parse(await readFile(vault, "utf8"));
    await writeFile(vault, JSON.stringify({ ...json, log: { ...json.log, vkey: forger.vkey } }));
    await resign(at, forger.skey);
    await using viewer = await open();
    await give(viewer.page, { bag: at });
    assert.equal(await verdict(viewer.page), "This bag is not intact");
    assert.equal(await viewer.page.locator("#result .badge.good").count(), 0 + (await filesCheck(viewer.page)));
  });

  test("a folder that is no bag, a file that is no zip, zips that lie or are too large, a folder with two bags", async () => {
    const foreign = place.path("foreign");
    await mkdir(foreign);
    await writeFile(join(foreign, "holiday.txt"), "x");
    await using viewer = await open();
    const { page } = viewer;
    await page.locator("#folder").setInputFiles(foreign);
    await page.locator("#bag-said", { hasText: "This is not a bag" }).waitFor();
    await writeFile(place.path("no.zip"), "PK\x03\x04 and no more");
    await page.locator("#zip").setInputFiles(place.path("no.zip"));
    await page.locator("#bag-said", { hasText: "The zip file is damaged" }).waitFor();
    await writeFile(place.path("out.zip"), zipSync({ "../bagit.txt": new Uint8Array(1) }));
    await page.locator("#zip").setInputFiles(place.path("out.zip"));
    await page.locator("#bag-said", { hasText: "leads out of it" }).waitFor();
    // What is stated is bounded before anything is inflated: three times 400 MB, none of which could be.
    const big = zipSync(Object.fromEntries(["a", "b", "c"].map((name) => [name, Buffer.alloc(9, 255)])), { level: 0 });
    for (let at = big.indexOf(80); at >= 0; at = big.indexOf(80, at + 1)) {
      if (!Buffer.from(big.buffer, at, 4).equals(Buffer.from("PK\x01\x02"))) continue;
      new DataView(big.buffer).setUint16(at + 10, 8, true);
      new DataView(big.buffer).setUint32(at + 24, 400 * 1024 ** 2, true);
    }
    await writeFile(place.path("big.zip"), big);
    await page.locator("#zip").setInputFiles(place.path("big.zip"));
    await page.locator("#bag-said", { hasText: "too large to open in a browser. Unpack it" }).waitFor();
    await writeFile(
      place.path("twice.zip"),
      Buffer.from(zipSync({ ab: Buffer.from("1"), cd: Buffer.from("2") }))
        .toString("latin1")
        .replaceAll("cd", "ab"),
      "latin1",
    );
    await page.locator("#zip").setInputFiles(place.path("twice.zip"));
    await page.locator("#bag-said", { hasText: "two files of one name" }).waitFor();
    for (const name of ["a", "b"]) await cp(bag, join(foreign, name), { recursive: true });
    await page.locator("#folder").setInputFiles(foreign);
    await page.locator("#bag-said", { hasText: "more than one bag" }).waitFor();
    assert.equal(await page.locator("#verdict").count(), 0);
  });

  test("the life of a person is told in plain words, and a line of a later version without fuss", async () => {
    const at = await copy();
    const common = { time: "2026-11-01T02:30:00Z", run: "r", subject: "0".repeat(32) };
    const token = "ab".repeat(16);
    const object = { key: "records/00/x.age", versionId: "v", versions: 1, due: "2026-10-31T00:00:00Z" };
    const lines: [Record<string, unknown>, ...string[]][] = [
      [{ type: "relationship.ended", ended: "2026-10-31" }, "The business relationship ended", "On 31 Oct 2026."],
      [{ type: "relationship.reopened" }, "The business relationship was reopened", "began again"],
      [
        { type: "hold.placed", case: token, objects: [object, object] },
        "hold placed",
        `Case token ${token}. 2 objects are`,
      ],
      [{ type: "hold.released", case: token }, "Legal hold released", `Case token ${token}.`],
      [{ type: "purge.begun", keys: ["a"] }, "Destruction begun", "1 object,"],
      [
        { type: "record.purged", objects: [object, { ...object, key: "files/00/x.age" }], whole: true },
        ...["Destroyed after the retention period", "1 record and 1 file", "until 31 Oct 2026", "Nothing was left"],
      ],
      [{ type: "retrieval.refused", reason: "expired" }, "Retrieval refused", "too old", "Nothing was handed out"],
      [{ type: "hold.placed" }, "Legal hold placed", "Parts of this line are missing"],
      [{ type: "constructor" }, "does not know", "The log calls it constructor."],
    ];
    const path = join(at, "evidence/retrieval.json");
    const json = JSON.parse(await readFile(path, "utf8"));
    const first = 1_000_000;
    json.subjects[0].trail.push(...lines.map((_, i) => first + i));
    await writeFile(path, JSON.stringify(json));
    for (const [i, [line]] of lines.entries())
      await writeFile(join(at, `evidence/entries/${first + i}.json`), JSON.stringify({ ...common, ...line }));
    await using viewer = await open();
    await give(viewer.page, { bag: at });
    const told = (await viewer.page.locator(".custody li").allInnerTexts()).slice(-lines.length);
    for (const [i, [, ...words]] of lines.entries()) {
      for (const each of [...words, "Not proven"]) assert.ok(told[i]!.includes(each), `${each}: ${told[i]}`);
    }
  });

  test("a second person's approval, by ssh-keygen: it checks, and another's signature in its place does not", async () => {
    for (const name of ["grace", "mallory"])
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", place.path(name)]);
    const words = ["--case", "2026-118", "--requested-by", "Ada Auditor", "--reason", "ä suspicion"];
    await place.configure({ retrieval: { approvals: [(await readFile(place.path("grace.pub"), "utf8")).trim()] } });
    const at = place.path("approved");
    await place.here("retrieve", [...words, "--identity", sandbox.ids()[0]!, "--out", at]);
    const request = `${at}.request.json`;
    const signedBy = async (who: string) => {
      await rm(`${request}.sig`, { force: true });
      await run("ssh-keygen", ["-q", "-Y", "sign", "-n", "holdfast-retrieval", "-f", place.path(who), request]);
      return `${request}.sig`;
    };
    const args = ["--request", request, "--approval", await signedBy("grace"), "--out", at];
    const ended = await place.here("retrieve", args);
    await place.configure({ retrieval: { approvals: [] } });
    assert.equal(ended.code, 0, ended.stderr);
    {
      await using viewer = await open();
      await give(viewer.page, { vkey, bag: at });
      assert.equal(await verdict(viewer.page), "Everything checks out");
      await viewer.page.locator("summary").first().click();
      assert.match(await text(viewer.page), /Second person\s+Confirmed\s+.*SHA256:/);
    }
    await cp(await signedBy("mallory"), join(at, "evidence/request.sig"));
    await resign(at, (await readFile(place.path("keys/log"), "utf8")).trim());
    await using viewer = await open();
    await give(viewer.page, { vkey, bag: at });
    assert.equal(await verdict(viewer.page), "This bag is not intact");
    assert.deepEqual(await viewer.page.locator(".problems code").allTextContents(), ["evidence/request.sig"]);
  });

  test("what a file manager leaves behind is passed over, and said", async () => {
    const at = await copy();
    await writeFile(join(at, "data/.DS_Store"), "x");
    await using viewer = await open();
    await give(viewer.page, { vkey, bag: at });
    assert.equal(await verdict(viewer.page), "Everything checks out");
    assert.match(await text(viewer.page), /Passed over: 1 file .*\.DS_Store/);
  });

  test("several people: a list to choose from", async () => {
    await using viewer = await open({ colorScheme: "dark", viewport: { width: 390, height: 800 } });
    const { page } = viewer;
    await give(page, { vkey, bag: three, key: place.officer.file });
    const people = page.locator("nav button");
    assert.equal(await people.count(), 3);
    for (const button of await people.all()) {
      const name = (await button.locator("strong").textContent())!;
      await button.click();
      await page.locator("#person", { hasText: name }).waitFor();
      assert.equal(await button.getAttribute("aria-current"), "true");
    }
    // Nothing sticks out of a narrow page.
    assert.ok(((await page.evaluate("document.documentElement.scrollWidth")) as number) <= 390);
  });

  test("by keyboard alone", async () => {
    await using viewer = await open();
    const { page } = viewer;
    async function tabTo(selector: string): Promise<void> {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
      }
      assert.fail(`Tab does not reach ${selector}`);
    }
    async function pick(selector: string, path: string): Promise<void> {
      await tabTo(selector);
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.keyboard.press("Enter")]);
      await chooser.setFiles(path);
    }
    // The test listens from the start: else a key may be pressed before the browser knows that it must ask the test.
    page.on("filechooser", () => {});
    await page.evaluate("0");
    await pick("#folder", bag);
    // What came of it has the focus, and is read out.
    await until(page, "document.activeElement.id === 'verdict'");
    await page.keyboard.press("Shift+Tab");
    assert.equal(await page.evaluate("document.activeElement.id"), "vkey");
    await page.keyboard.insertText(vkey);
    await page.keyboard.press("Tab");
    await page.locator("#verdict", { hasText: "Everything checks out" }).waitFor();
    await page.evaluate("document.querySelector('.skip').focus()");
    await pick("#key", place.officer.file);
    await showsThePerson(page);
    await tabTo("summary");
    await page.keyboard.press("Enter");
    await page.locator("details[open] .checks").waitFor();
    await tabTo("#compared");
    await page.keyboard.press("n");
    await until(page, "document.querySelector('table').className === 'data'");
    await tabTo(".enlarge");
    await page.keyboard.press("Enter");
    await page.locator("dialog[open] img").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    // Every field and button has a name.
    const nameless = `[...document.querySelectorAll("button, input, select, textarea, video, img")]
      .filter((e) => !(e.getAttribute("aria-label") || e.labels?.length || e.textContent.trim() || e.alt)).length`;
    assert.equal(await page.evaluate(nameless), 0);
  });

  test("on paper: what was checked is unfolded, what is for the screen is left out", async () => {
    await using viewer = await open({});
    const { page } = viewer;
    await give(page, { vkey, bag, key: place.officer.file });
    await showsThePerson(page);
    const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    assert.ok((pdf.toString("latin1").match(/\/Type \/Page\b/g) ?? []).length >= 2);
    // Pages are numbered.
    assert.match(await readFile(new URL("../../src/viewer/viewer.css", import.meta.url), "utf8"), /counter\(pages\)/);
    assert.match(pdf.toString("latin1"), /\/MediaBox \[0 0 59[45][.\d]* 84[12]/);
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator(".intake").isVisible(), false);
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    assert.ok(await page.locator(".verdict .checks").isVisible());
  });

  test("the page may not reach out, whatever runs in it", async () => {
    let heard = 0;
    await using server = createServer((_, response) => {
      heard++;
      response.setHeader("Access-Control-Allow-Origin", "*").end("export {}");
    }).listen(0, "127.0.0.1");
    server.on("upgrade", (_, socket) => {
      heard++;
      socket.destroy();
    });
    await once(server, "listening");
    const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const loading = (tag: string, address: string) =>
      `new Promise((done) => { const e = document.createElement("${tag}"); e.onload = e.onerror = done; e.${address} = "http://${at}/x"; document.body.append(e); })`;
    const ways = [
      `fetch("http://${at}/x")`,
      `new Promise((done) => { const s = new WebSocket("ws://${at}/"); s.onclose = done; })`,
      `import("http://${at}/x.js")`,
      loading("img", "src"),
      loading("script", "src"),
      loading("link", "rel = 'stylesheet'; e.href"),
      loading("iframe", "src"),
    ];
    async function reach(options: BrowserContextOptions): Promise<number[]> {
      await using context = await browser.newContext(options);
      const page = await context.newPage();
      await page.goto(pathToFileURL(VIEWER).href);
      const heards = [];
      for (const way of ways) {
        heard = 0;
        // A refused WebSocket ends with no event of its own.
        const refused = `new Promise((done) => document.addEventListener("securitypolicyviolation", done, { once: true }))`;
        await page.evaluate(`Promise.race([(async () => ${way})().then(() => {}, () => {}), ${refused}])`);
        heards.push(heard);
      }
      return heards;
    }
    assert.deepEqual(await reach({}), [0, 0, 0, 0, 0, 0, 0]);
    // The same without the page's policy: so the test can fail.
    assert.deepEqual(await reach({ bypassCSP: true }), [1, 1, 1, 1, 1, 1, 1]);
  });

  test("a bag that was handed on opens with the auditor's key, and proves what it proved", async () => {
    const auditor = await makeAgeKey(place.path("auditor.txt"));
    const resealed = place.path("resealed");
    const to = ["--key", place.officer.file, "--to", auditor.recipient, "--out", resealed];
    assert.equal((await place.here("reseal", [bag, ...to])).code, 0);
    {
      await using viewer = await open();
      const { page } = viewer;
      await give(page, { vkey, bag: resealed, key: auditor.file });
      assert.equal(await verdict(page), "Everything checks out");
      await showsThePerson(page);
      assert.match((await page.locator(".checks").first().textContent())!, /re-encrypted for [0-9a-f]{16} on /);
      await page.locator("#key").setInputFiles(place.officer.file);
      await page.locator("#key-said", { hasText: "opens nothing in this bag" }).waitFor();
    }
    for (const alter of [
      (at: string) => flip(at, first(at, "data/records")),
      (at: string) => flip(at, first(at, "original/headers"), 60),
      (at: string) => gone(at, first(at, "original/headers")),
      (at: string) => flip(at, "original/manifest-sha256.txt", 3),
      (at: string) => flip(at, "reseal.json", 40),
      async (at: string) => {
        await writeFile(join(at, "original/added"), "x");
        return "original/added";
      },
    ]) {
      const at = place.path(`resealed-${copies++}`);
      await cp(resealed, at, { recursive: true });
      const named = await alter(at);
      await using viewer = await open();
      await give(viewer.page, { vkey, bag: at });
      assert.equal(await verdict(viewer.page), "This bag is not intact");
      const problems = await viewer.page.locator(".problems code").allTextContents();
      assert.ok(problems.includes(named), `${named} is not among ${problems.join(", ")}`);
    }
  });

  test("a time stamp is told of in words; one of another checkpoint does not check", async () => {
    await using tsa = await Tsa.start();
    await using own = await makeWorkplace(sandbox, {
      client: { log: { timestamps: { url: tsa.url, ca: `file:${tsa.ca}` } } },
    });
    const id = sandbox.ids()[0]!;
    await own.export("--identity", id);
    const stamped = await retrieve(own, "bag", [id]);
    const { log } = JSON.parse(await readFile(join(stamped, "evidence/vault.json"), "utf8"));
    {
      await using viewer = await open();
      await give(viewer.page, { vkey: log.vkey, bag: stamped });
      assert.equal(await verdict(viewer.page), "Everything checks out");
      const words = await viewer.page.locator(".checks li", { hasText: "time stamp" }).textContent();
      assert.match(
        words!,
        /existed at the latest on \d+ [A-Z][a-z]{2} \d{4}, \d\d:\d\d:\d\d UTC\. This page does not check whose stamp it is/,
      );
    }
    const other = await retrieve(own, "other", [id]);
    await cp(join(other, "evidence/checkpoint.tsr"), join(stamped, "evidence/checkpoint.tsr"));
    await resign(stamped, (await readFile(own.path("keys/log"), "utf8")).trim());
    await using viewer = await open();
    await give(viewer.page, { vkey: log.vkey, bag: stamped });
    assert.equal(await verdict(viewer.page), "This bag is not intact");
    assert.match(await text(viewer.page), /It is not a stamp of the state of the log/);
  });

  test("what reseal.json tells is held to what is there, also with lists made to fit", async () => {
    const auditor = await makeAgeKey(place.path("second-auditor.txt"));
    const at = place.path("told-otherwise");
    const to = ["--key", place.officer.file, "--to", auditor.recipient, "--out", at];
    assert.equal((await place.here("reseal", [bag, ...to])).code, 0);
    const told = JSON.parse(await readFile(join(at, "reseal.json"), "utf8"));
    told.objects[0].stored.sha256 = "0".repeat(64);
    await writeFile(join(at, "reseal.json"), JSON.stringify(told));
    await relist(at);
    await using viewer = await open();
    await give(viewer.page, { vkey, bag: at });
    assert.equal(await verdict(viewer.page), "This bag is not intact");
    assert.match(await text(viewer.page), /It differs from what reseal\.json says/);
  });

  test("a proof that leads to another head of the log than the bag's", async () => {
    const at = await copy();
    const other = join(three, "evidence/checkpoint");
    await cp(other, join(at, "evidence/checkpoint"));
    await resign(at, (await readFile(place.path("keys/log"), "utf8")).trim());
    await using viewer = await open();
    await give(viewer.page, { vkey, bag: at });
    assert.equal(await verdict(viewer.page), "This bag is not intact");
    assert.match(await text(viewer.page), /The proof leads to a different state of the log/);
  });

  test("a second person's approval by a bare Ed25519 key", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const bare = Buffer.from(publicKey.export({ format: "jwk" }).x!, "base64url").toString("base64");
    await using own = await makeWorkplace(sandbox, { client: { retrieval: { approvals: [`ed25519:${bare}`] } } });
    await own.export();
    const why = ["--case", "12", "--requested-by", "Ada", "--reason", "why", "--identity", sandbox.ids()[0]!];
    const at = own.path("bag");
    assert.equal((await own.here("retrieve", [...why, "--out", at])).code, 2);
    const request = `${at}.request.json`;
    await writeFile(`${request}.sig`, sign(null, await readFile(request), privateKey).toString("base64"));
    const ended = await own.here("retrieve", ["--request", request, "--approval", `${request}.sig`, "--out", at]);
    assert.equal(ended.code, 0, ended.stderr);
    await using viewer = await open();
    await give(viewer.page, { bag: at });
    const check = viewer.page.locator(".verdict .checks li", { hasText: "Second person" });
    assert.match((await check.textContent())!, /Consistent.*with the key SHA256:/);
    assert.match((await viewer.page.locator(".custody .line").first().textContent())!, /Consistent$/);
    assert.equal(await viewer.page.locator(".custody").getByText("Proven").count(), 0);
  });

  test("many people: found by a part of their name, in the order of names and outcomes", async () => {
    const all = await retrieve(place, "all", sandbox.ids());
    await using viewer = await open();
    await give(viewer.page, { vkey, bag: all, key: place.officer.file });
    const { page } = viewer;
    // As some keyboards type it: in capitals, in full width.
    const typed = person.family.slice(0, 4).toUpperCase().replaceAll(/[A-Z]/g, full);
    await page.getByRole("searchbox", { name: "Find a person" }).fill(typed);
    const found = await page.locator("nav li:visible").allTextContents();
    assert.ok(found.length < sandbox.ids().length && found.some((words) => words.includes(person.family)));
    await page.getByRole("searchbox").fill("");
    assert.equal(await page.locator("nav li:visible").count(), sandbox.ids().length);
    const names = () => page.locator("nav li strong").allTextContents();
    const order = page.getByRole("combobox", { name: "Order" });
    assert.deepEqual(await order.locator("option").allTextContents(), [
      "As in the bag",
      "Name",
      "Newest first",
      "Outcome",
    ]);
    const before = await names();
    await order.selectOption("Name");
    const sorted = before.toSorted((one, other) => one.localeCompare(other, "en"));
    assert.deepEqual(await names(), sorted);
    await order.selectOption("Outcome");
    const outcomes = (await page.locator("nav li span:first-of-type").allTextContents()).map(
      (words) => /Not verified|Undecided|Verified/.exec(words)![0],
    );
    assert.deepEqual(outcomes, outcomes.toSorted());
    assert.ok(new Set(outcomes).size > 1);
    await order.selectOption("As in the bag");
    assert.deepEqual(await names(), before);
    // The one who was chosen stays chosen.
    assert.equal(await page.locator("nav [aria-current]").count(), 1);
  });

  test("many people, sealed: found by token, in the order of tokens or of time", async () => {
    const sealed = await retrieve(place, "sealed", sandbox.ids());
    await using viewer = await open();
    await give(viewer.page, { vkey, bag: sealed });
    const { page } = viewer;
    const token = await place.subject(sandbox.ids()[3]!);
    await page.getByRole("searchbox", { name: "Find a person" }).fill(token);
    assert.deepEqual(await page.locator("nav li:visible strong").allTextContents(), [`Token ${token.slice(0, 8)}…`]);
    await page.getByRole("searchbox").fill("");
    const order = page.getByRole("combobox", { name: "Order" });
    assert.deepEqual(await order.locator("option").allTextContents(), ["As in the bag", "Token", "Newest first"]);
    await order.selectOption("Token");
    const tokens = await page.locator("nav li strong").allTextContents();
    assert.deepEqual(tokens, tokens.toSorted());
    await order.selectOption("Newest first");
    const days = await page.locator("nav li span:first-of-type").allTextContents();
    const times = days.map((words) => Date.parse(`${/\d+ \w+ \d{4}/.exec(words)![0]} UTC`));
    assert.deepEqual(
      times,
      times.toSorted((one, other) => other - one),
    );
  });

  test("a post-quantum key opens", async () => {
    const identity = await generateHybridIdentity();
    await using own = await makeWorkplace(sandbox, { client: { recipients: [await identityToRecipient(identity)] } });
    const index = withFiles(sandbox);
    await own.export("--identity", sandbox.ids()[index]!);
    const key = own.path("hybrid.txt");
    await writeFile(key, `# made for a test\n\n${identity}\n`);
    await using viewer = await open();
    await give(viewer.page, { bag: await retrieve(own, "bag", [sandbox.ids()[index]!]), key });
    await showsThePerson(viewer.page);
  });
});

/** Playwright's own way of waiting would need eval in the page, which its policy forbids. */
async function until(page: Page, expression: string): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await page.evaluate(expression))) {
    assert.ok(performance.now() < deadline, `never came true: ${expression}`);
  }
}

/** "Files" is about the bag's own lists, which agree. */
async function filesCheck(page: Page): Promise<number> {
  return page.locator(".checks li", { hasText: "All " }).locator(".badge.good").count();
}

function withFiles(sandbox: Sandbox): number {
  return sandbox.ids().findIndex((_, index) => {
    const types = sandbox.resources(index).flatMap(({ resource_files: files }) => files!.map(({ type }) => type));
    return types.includes("document_image") && types.includes("face_video");
  });
}

async function retrieve(place: Workplace, name: string, identities: readonly string[]): Promise<string> {
  const request = ["--case", "2026-117", "--requested-by", "Ada Auditor", "--reason", REASON];
  const people = identities.flatMap((id) => ["--identity", id]);
  const ended = await place.here("retrieve", ["--json", ...request, ...people, "--out", place.path(name)]);
  assert.equal(ended.code, 0, ended.stderr);
  return place.path(name);
}

async function first(bag: string, folder: string): Promise<string> {
  return (await paths(bag)).find((path) => path.startsWith(`${folder}/`)) ?? assert.fail(`nothing in ${folder}`);
}

async function flip(bag: string, which: string | Promise<string>, at = -5): Promise<string> {
  const path = await which;
  const bytes = await readFile(join(bag, path));
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = bytes[index]! ^ 1;
  await writeFile(join(bag, path), bytes);
  return path;
}

async function gone(bag: string, which: string | Promise<string>): Promise<string> {
  await rm(join(bag, await which));
  return which;
}

function full(letter: string): string {
  return String.fromCodePoint(letter.charCodeAt(0) + 0xfee0);
}
