import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { zipSync } from "fflate";
import type { Browser } from "playwright-core";
import { osLeftovers } from "../../src/bag/os-leftovers.ts";
import { relist, resign } from "../bag/bag-lists.ts";
import { makeAgeKey, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { ViewerPage } from "./viewer-page.ts";

/** What macOS and Windows leave; `/` at the end of a folder's name. */
const LEFT = [
  ...[".DS_Store", "._.DS_Store", "._bagit.txt", "._data", ".apdisk", ".localized", ".VolumeIcon.icns", "Icon\r"],
  ...[
    "Thumbs.db",
    "thumbs.db",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    "Desktop.ini",
    "Thumbs.db:encryptable",
  ],
  ...["bagit.txt:Zone.Identifier", ".com.apple.timemachine.donotpresent"],
  ...["__MACOSX/", ".Spotlight-V100/", ".Trashes/", ".fseventsd/", ".TemporaryItems/", ".DocumentRevisions-V100/"],
  ...[".AppleDouble/", "$RECYCLE.BIN/", "System Volume Information/", "Network Trash Folder/", "Temporary Items/"],
];

/** Names beside those of the list. */
const ADDED = [
  ...["data/.directory", ".nfs000000000001", ".Trash-1000/x", ".DS_Store/x", "._folder/x", "data/DS_Store", "data/._"],
  ...[
    "Icon",
    "Thumbs.db.exe",
    "x desktop.ini",
    "data/x:Other.Identifier",
    ":Zone.Identifier",
    "_MACOSX/x",
    "data/records/x",
  ],
  ...["data/thumbs_vista.db", "evidence/.ds_store", ".~lock.x"],
];

test("the list takes these names, in any folder, and no others", () => {
  for (const name of LEFT) {
    for (const folder of ["", "data/", "data/records/aa/"]) {
      assert.equal(osLeftovers(`${folder}${name}${name.endsWith("/") ? "a/b" : ""}`), folder + name);
      if (name.endsWith("/")) assert.equal(osLeftovers(folder + name.slice(0, -1)), folder + name.slice(0, -1));
    }
  }
  for (const name of ADDED) assert.equal(osLeftovers(name), undefined, name);
});

describe("one folder, two readers: the command line and the page in Chromium", { skip: withoutChromium }, () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let browser: Browser;
  let bag: string;
  let vkey: string;
  let copies = 0;

  before(async () => {
    sandbox = await startSandbox({ identities: 2, plainImages: true });
    place = await makeWorkplace(sandbox);
    browser = await startChromium();
    await place.export();
    bag = place.path("bag");
    const asked = ["--case", "1", "--requested-by", "Ada", "--reason", "why", "--out", bag];
    const ended = await place.here("retrieve", [...asked, "--identity", sandbox.ids()[0]!]);
    assert.equal(ended.code, 0, ended.stderr);
    vkey = JSON.parse(await readFile(join(bag, "evidence/vault.json"), "utf8")).log.vkey;
  });
  after(async () => {
    await browser?.close();
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  const skey = async () => (await readFile(place.path("keys/log"), "utf8")).trim();

  async function copyWith(names: readonly string[], of: string = bag): Promise<string> {
    const at = place.path(`copy-${copies++}`);
    await cp(of, at, { recursive: true });
    for (const name of names) {
      const path = join(at, name.endsWith("/") ? `${name}deep/x` : name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, "x");
    }
    return at;
  }

  /** What both say: accepted or refused, and what was passed over. They must agree. */
  async function both(at: string): Promise<{ accepted: boolean; ignored: string[] }> {
    const ended = await place.here("verify", [at, "--vkey", vkey, "--json"]);
    assert.ok([0, 4].includes(ended.code!), ended.stderr);
    const accepted = ended.code === 0;
    const ignored = accepted ? (ended.json as { ignored: string[] }).ignored : [];
    await using viewer = await ViewerPage.open(browser);
    await viewer.give({ vkey, bag: at });
    const said = accepted ? "Everything checks out" : "This bag is not intact";
    assert.equal(await viewer.verdict(), said, `${ended.stderr}\n${await viewer.text()}`);
    if (ignored.length > 0) {
      const files = ignored.length === 1 ? "1 file" : `${ignored.length} files`;
      assert.ok((await viewer.text()).includes(`${files} that macOS or Windows left there`), await viewer.text());
      assert.ok(ended.stderr.includes(`ignored: ${files} that macOS or Windows left there: `), ended.stderr);
    }
    return { accepted, ignored };
  }

  test("what macOS and Windows leave is passed over and told, in every folder of the bag", async () => {
    assert.deepEqual(await both(bag), { accepted: true, ignored: [] });
    const names = ["", "data/", "evidence/entries/"].flatMap((folder) => LEFT.map((name) => folder + name));
    const at = await copyWith(names);
    // A disk that tells no upper from lower case has one of the two.
    const there = names.filter((name) => existsSync(join(at, name)));
    const { accepted, ignored } = await both(at);
    assert.ok(accepted);
    assert.deepEqual([...ignored].sort(), [...there].sort());
  });

  test("the names of those folders as files too", async () => {
    const names = LEFT.filter((name) => name.endsWith("/")).map((name) => name.slice(0, -1));
    assert.deepEqual((await both(await copyWith(names))).ignored.sort(), [...names].sort());
  });

  for (const name of ADDED) {
    test(`anything else that was added is refused: ${name}`, async () => {
      const at = await copyWith([".apdisk", name]);
      assert.equal((await both(at)).accepted, false);
    });
  }

  test("what a manifest names is never passed over: changed or gone, the bag is refused", async () => {
    for (const name of [".DS_Store", "__MACOSX/x", "evidence/desktop.ini"]) {
      const at = await copyWith([name]);
      await resign(at, await skey());
      assert.deepEqual(await both(at), { accepted: true, ignored: [] });
      await writeFile(join(at, dirname(name), ".apdisk"), "x");
      assert.equal((await both(at)).ignored.length, 1);
      await writeFile(join(at, name), "y");
      assert.equal((await both(at)).accepted, false, name);
      await rm(join(at, name));
      assert.equal((await both(at)).accepted, false, name);
    }
    // In the list of the payload it has to be a record, too.
    const at = await copyWith(["data/.DS_Store"]);
    await resign(at, await skey());
    assert.equal((await both(at)).accepted, false);
    // Lists that no one signed do not make it part of the bag.
    const unsigned = await copyWith([".DS_Store"]);
    await relist(unsigned);
    assert.equal((await both(unsigned)).accepted, false);
  });

  test("open and reseal pass it over too, and hand nothing of it on; a bag that was handed on is read so as well", async () => {
    const at = await copyWith([".DS_Store", "data/Thumbs.db", "__MACOSX/"]);
    const ended = await place.here("open", [at, "--key", place.officer.file, "--out", place.path("opened")]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /ignored: 3 files that macOS or Windows left there: /);
    const auditor = await makeAgeKey(place.path("auditor.txt"));
    const out = place.path("resealed");
    const to = ["--key", place.officer.file, "--to", auditor.recipient, "--out", out];
    const resealed = await place.here("reseal", [at, ...to]);
    assert.equal(resealed.code, 0, resealed.stderr);
    assert.match(resealed.stderr, /ignored: 3 files/);
    const names = await readdir(out, { recursive: true });
    assert.deepEqual(
      names.filter((name) => osLeftovers(name) !== undefined),
      [],
    );
    const left = ["original/.DS_Store", "original/headers/records/._x", "data/desktop.ini", "$RECYCLE.BIN/"];
    assert.deepEqual((await both(await copyWith(left, out))).ignored.sort(), [...left].sort());
    assert.equal((await both(await copyWith(["original/.directory"], out))).accepted, false);
  });

  test("a zip that macOS made", async () => {
    const at = await copyWith(["Icon\r", "data/.DS_Store", ".Trashes/"]);
    const files: Record<string, Uint8Array> = { "__MACOSX/bag/._bagit.txt": new Uint8Array(4) };
    for (const entry of await readdir(at, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) files[`bag${path.slice(at.length)}`] = await readFile(path);
    }
    await writeFile(place.path("bag.zip"), zipSync(files));
    await using viewer = await ViewerPage.open(browser);
    await viewer.give({ vkey });
    await viewer.page.locator("#zip").setInputFiles(place.path("bag.zip"));
    await viewer.page.locator("#verdict").waitFor();
    assert.equal(await viewer.verdict(), "Everything checks out");
    assert.match(await viewer.text(), /Passed over: 3 files that macOS or Windows left there/);
  });

  test("a bag in a folder of such a name is a bag", async () => {
    const at = place.path("__MACOSX", "bag");
    await mkdir(dirname(at));
    await cp(bag, at, { recursive: true });
    assert.equal((await both(at)).accepted, true);
    await using viewer = await ViewerPage.open(browser);
    await viewer.give({ vkey, bag: dirname(at) });
    assert.equal(await viewer.verdict(), "Everything checks out");
  });
});
