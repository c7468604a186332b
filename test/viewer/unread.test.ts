import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import type { BagFile } from "../../src/viewer/bag-file.ts";
import { digestOfFile, PIECE } from "../../src/viewer/digest.ts";
import { paths } from "../bag/bag-lists.ts";
import { makeAgeKey, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { ViewerPage } from "./viewer-page.ts";

const MIB = 1024 ** 2;

/** A file of so many bytes, none of which is in memory before it is read. */
function made(size: number): { file: BagFile; largest: () => number; sha256: string } {
  const piece = Buffer.alloc(PIECE, 7);
  const hash = createHash("sha256");
  for (let at = 0; at < size; at += PIECE) hash.update(piece.subarray(0, Math.min(PIECE, size - at)));
  let largest = 0;
  const read = async (start: number, end: number) => {
    largest = Math.max(largest, end - start);
    return Buffer.alloc(end - start, 7);
  };
  return { file: { path: "data/x", size, read }, largest: () => largest, sha256: hash.digest("hex") };
}

test("a file of any size has its digest, and is never in memory whole where it is large", async () => {
  for (const size of [0, 1, 16 * MIB, 16 * MIB + 1, 20 * MIB - 1, 20 * MIB, 20 * MIB + 1, 50 * MIB + 5]) {
    const { file, largest, sha256 } = made(size);
    assert.equal(await digestOfFile(file), sha256, `${size} bytes`);
    assert.ok(largest() <= 16 * MIB);
    if (size > 16 * MIB) assert.ok(largest() <= PIECE);
  }
});

interface BagOfOne {
  readonly place: Workplace;
  readonly bag: string;
  readonly vkey: string;
}

/** A bag of one person who has a picture of a document and a video. */
async function bagOfOne(videoBytes?: number): Promise<BagOfOne> {
  await using sandbox = await startSandbox({ identities: 14, plainImages: true, videoBytes });
  const place = await makeWorkplace(sandbox);
  const index = sandbox.ids().findIndex((_, at) => {
    const files = sandbox.resources(at).flatMap(({ resource_files: all }) => all);
    return ["document_image", "face_video"].every((type) => files.some((file) => file.type === type));
  });
  const id = sandbox.ids()[index]!;
  await place.export("--identity", id);
  const bag = place.path("bag");
  const asked = ["--case", "1", "--requested-by", "Ada", "--reason", "why", "--out", bag];
  const ended = await place.here("retrieve", [...asked, "--identity", id]);
  assert.equal(ended.code, 0, ended.stderr);
  const { log } = JSON.parse(await readFile(join(bag, "evidence/vault.json"), "utf8"));
  return { place, bag, vkey: log.vkey };
}

describe("what cannot be read is not checked: neither good nor bad", { skip: withoutChromium }, () => {
  let browser: Browser;
  /** Of someone whose video is so large that it is hashed in pieces; the files of the other one are small. */
  let large: BagOfOne;
  let small: BagOfOne;
  let resealed: string;
  let copies = 0;

  before(async () => {
    browser = await startChromium();
    large = await bagOfOne(17 * MIB);
    small = await bagOfOne();
    const { place, bag } = small;
    const auditor = await makeAgeKey(place.path("auditor.txt"));
    resealed = place.path("resealed");
    const to = ["--key", place.officer.file, "--to", auditor.recipient, "--out", resealed];
    assert.equal((await place.here("reseal", [bag, ...to])).code, 0);
  });
  after(async () => {
    await browser?.close();
    await large?.place[Symbol.asyncDispose]();
    await small?.place[Symbol.asyncDispose]();
  });

  /** The page has the folder, and then these files are taken away from under it: it finds out as it checks again. */
  async function without(of: string, names: readonly string[], trusted: string | null): Promise<ViewerPage> {
    const at = small.place.path(`copy-${copies++}`);
    await cp(of, at, { recursive: true });
    const viewer = await ViewerPage.open(browser);
    await viewer.give({ bag: at, ...(trusted === null ? { vkey: small.vkey } : {}) });
    for (const name of names) await rm(join(at, name));
    await viewer.trust(trusted ?? "");
    await viewer.page
      .locator("#verdict", { hasText: "not checked" })
      .waitFor({ timeout: 60_000 })
      .catch(async (cause: unknown) => assert.fail(`${names}: ${await viewer.text()} ${cause}`));
    return viewer;
  }

  async function notBad(viewer: ViewerPage): Promise<void> {
    assert.match(await viewer.verdict(), /^Everything that could be checked here is intact; /);
    assert.equal(await viewer.page.locator(".verdict.unchecked").count(), 1);
    assert.deepEqual(await viewer.named("problems"), []);
    assert.equal(await viewer.page.locator("#result .badge.bad:not(.outcome *)").count(), 0, await viewer.text());
    assert.ok((await viewer.page.locator("#result .badge.unchecked").count()) > 0);
    assert.doesNotMatch(
      await viewer.text(),
      /Missing|Changed:|Added|not intact|(another|different) (log|key|line|state|list|retrieval)/,
    );
  }

  test("any file of a bag", async () => {
    const { bag, vkey } = small;
    const all = await paths(bag);
    const kinds = new Map(all.map((path) => [path.replace(/(data|evidence)\/(\w+)\/.*/, "$1/$2"), path]));
    for (const path of kinds.values()) {
      await using viewer = await without(bag, [path], vkey);
      await notBad(viewer);
      assert.ok((await viewer.named("missed")).includes(path), path);
      if (!path.startsWith("evidence/") && !path.includes("manifest"))
        assert.match(await viewer.verdict(), /; 1 file was not checked$/);
    }
  });

  test("a file that is hashed in pieces", async () => {
    const { bag, vkey } = large;
    const all = await paths(bag);
    const sizes = await Promise.all(all.map(async (path) => (await stat(join(bag, path))).size));
    const path = all[sizes.findIndex((size) => size > 16 * MIB)]!;
    await using viewer = await without(bag, [path], vkey);
    await notBad(viewer);
    assert.deepEqual(await viewer.named("missed"), [path]);
  });

  test("any file of a bag that was handed on, several at once, and all of them", async () => {
    const all = await paths(resealed);
    const sets = [
      ["reseal.json"],
      all.filter((path) => path.startsWith("original/headers/records")),
      ["original/manifest-sha256.txt"],
      ["original/tagmanifest-sha256.txt.note"],
      ["manifest-sha256.txt"],
      all.filter((path) => path.startsWith("data/files")),
      all,
    ];
    for (const names of sets) {
      await using viewer = await without(resealed, names, small.vkey);
      await notBad(viewer);
    }
  });

  test("without the log's key it still says whose word the key is", async () => {
    const path = (await paths(small.bag)).find((name) => name.startsWith("data/files"))!;
    await using viewer = await without(small.bag, [path], null);
    await notBad(viewer);
    assert.match(
      await viewer.text(),
      /The key came with the bag\. A key that came with the bag proves nothing on its own/,
    );
  });

  test("beside what is wrong it does not hide it", async () => {
    const { place, bag, vkey } = small;
    const at = place.path(`copy-${copies++}`);
    await cp(bag, at, { recursive: true });
    const [one, two] = (await paths(bag)).filter((path) => path.startsWith("data/"));
    const bytes = await readFile(join(at, one!));
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(join(at, one!), bytes);
    await using viewer = await ViewerPage.open(browser);
    await viewer.give({ bag: at });
    await rename(join(at, two!), place.path(`away-${copies}`));
    await viewer.trust(vkey);
    await viewer.page.locator(".missed").waitFor();
    assert.equal(await viewer.verdict(), "This bag is not intact");
    assert.deepEqual([await viewer.named("problems"), await viewer.named("missed")], [[one], [two]]);
  });

  test("what is read when it is opened and is gone by then: neither the key nor the record is blamed", async () => {
    const { place, bag, vkey } = small;
    const at = place.path(`copy-${copies++}`);
    await cp(bag, at, { recursive: true });
    await using viewer = await ViewerPage.open(browser);
    await viewer.give({ vkey, bag: at });
    for (const path of await paths(at)) if (path.startsWith("data/records")) await rm(join(at, path));
    await viewer.page.locator("#key").setInputFiles(place.officer.file);
    await viewer.page.locator("#key-said", { hasText: "1 record could not be read here" }).waitFor();
    assert.equal(await viewer.page.locator(".not-opened, .badge.bad").count(), 0);
  });

  test("a file that is hashed in pieces checks, and opens", async () => {
    const { place, bag, vkey } = large;
    await using viewer = await ViewerPage.open(browser);
    await viewer.give({ vkey, bag, key: place.officer.file });
    assert.equal(await viewer.verdict(), "Everything checks out");
    await viewer.page.locator("figure video").waitFor();
    assert.equal(await viewer.page.locator("figure.bad").count(), 0);
  });
});
