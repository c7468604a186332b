import assert from "node:assert/strict";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { zipSync } from "fflate";
import { VIEWER } from "../../src/viewer/build.ts";
import { paths } from "../bag/bag-lists.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { type OtherBrowser, shown } from "../servers/browser.ts";
import { Firefox, withoutFirefox } from "../servers/firefox.ts";
import { WebKit, withoutWebKit } from "../servers/webkit.ts";

const BROWSERS: readonly { name: string; skip: string | false; start: () => Promise<OtherBrowser> }[] = [
  { name: "Firefox", skip: withoutFirefox, start: () => Firefox.start() },
  { name: "WebKit", skip: withoutWebKit, start: () => WebKit.start() },
];

describe("viewer.html in other browsers", () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let vkey: string;
  let person: { readonly given: string; readonly family: string };

  before(async () => {
    sandbox = await startSandbox({ identities: 6 });
    place = await makeWorkplace(sandbox);
    await place.export();
    const index = sandbox.ids().findIndex((_, at) => JSON.stringify(sandbox.resources(at)).includes("document_image"));
    const bag = place.path("bag");
    const why = ["--case", "2026-117", "--requested-by", "Ada Auditor", "--reason", "a request"];
    const ended = await place.here("retrieve", [...why, "--identity", sandbox.ids()[index]!, "--out", bag]);
    assert.equal(ended.code, 0, ended.stderr);
    vkey = JSON.parse(await readFile(join(bag, "evidence/vault.json"), "utf8")).log.vkey;
    const { first_name: given, last_name: family } = sandbox.identity(index).owner!;
    person = { given: given!, family: family! };
    await writeZip(bag, place.path("bag.zip"));
    const tampered = place.path("tampered");
    await cp(bag, tampered, { recursive: true });
    const record = (await paths(tampered)).find((path) => path.startsWith("data/records/"))!;
    const bytes = await readFile(join(tampered, record));
    bytes[bytes.length - 5]! ^= 1;
    await writeFile(join(tampered, record), bytes);
    await writeZip(tampered, place.path("tampered.zip"));
  });
  after(async () => {
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  for (const { name, skip, start } of BROWSERS) {
    test(`${name}: a bag opens with both keys, and a tampered one does not`, { skip }, async () => {
      await using browser = await start();
      await browser.open(pathToFileURL(VIEWER).href);
      await browser.value(`(() => {
        const field = document.querySelector("#vkey");
        field.value = ${JSON.stringify(vkey)};
        return field.dispatchEvent(new Event("change"));
      })()`);
      await browser.choose("#zip", place.path("bag.zip"));
      await shown(browser, "#verdict", /^Everything checks out$/);
      await browser.choose("#key", place.officer.file);
      await shown(browser, "#person", new RegExp(`${person.given} ${person.family}`));
      await shown(browser, "#key-said", /^Opens 1 record\./);
      // An image of a document is drawn, and every check of the record holds.
      const images = `[...document.querySelectorAll("figure img")].map((image) => image.complete && image.naturalWidth)`;
      const deadline = performance.now() + 20_000;
      while (!(await browser.value<number[]>(images)).some((width) => width > 100))
        assert.ok(performance.now() < deadline, "no image was drawn");
      assert.equal(await browser.value(`document.querySelectorAll(".proof .badge.good").length`), 4);
      assert.equal(await browser.value(`document.querySelectorAll(".verdict .badge.bad").length`), 0);

      await browser.choose("#zip", place.path("tampered.zip"));
      await shown(browser, "#verdict", /^This bag is not intact$/);
      await shown(browser, "#key-said", /^Opens nothing/);
      assert.equal(await browser.value(`document.querySelectorAll(".problems code").length`), 1);
      const page = await browser.value<string>(`document.querySelector("#result").textContent`);
      assert.ok(!page.includes(person.family), "what is not proven is not opened");
    });
  }
});

async function writeZip(bag: string, to: string): Promise<void> {
  const files: Record<string, Uint8Array> = {};
  for (const entry of await readdir(bag, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[path.slice(bag.length + 1)] = await readFile(path);
  }
  await writeFile(to, zipSync(files, { level: 0 }));
}
