import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Entry, RecordStored, StoredFile } from "../../src/audit/entry.ts";
import { dataPath } from "../../src/bag/layout.ts";
import { parseRecipients } from "../../src/config/recipients.ts";
import { Sealer } from "../../src/seal/seal.ts";
import { recordKey } from "../../src/vault/layout.ts";
import { resign } from "../bag/bag-lists.ts";
import { recordOf } from "../bag/forge.ts";
import { startChromium, withoutChromium } from "../servers/chromium.ts";
import { at, FILE, RECORD, ScriptedVault, SUBJECT, VERSION } from "../verify/scripted.ts";
import { ViewerPage } from "./viewer-page.ts";

const LATER = "20100201T000000Z-0123456789ab";
const UNTIL = "2040-01-01T00:00:00Z";

/** The bag of a person of whom one file was purged, and a later record with that file came behind the purge. */
describe("a bag of a record that was logged behind the purge of its file", { skip: withoutChromium }, () => {
  let vault: ScriptedVault;
  let browser: Browser;
  let sealer: Sealer;
  before(async () => {
    vault = await ScriptedVault.make();
    browser = await startChromium();
    sealer = new Sealer(await parseRecipients([vault.place.officer.recipient]));
  });
  after(async () => {
    await browser?.close();
    await vault?.[Symbol.asyncDispose]();
  });

  async function put(key: string, plain: string): Promise<RecordStored["object"]> {
    const open = await vault.place.vault();
    const lock = { mode: "governance", until: Temporal.Instant.from(UNTIL) } as const;
    const { versionId, size, sha256 } = await open.put(key, await sealer.seal(Buffer.from(plain)), { lock });
    await open.close();
    return { key, versionId, size, sha256 };
  }

  const putRecord = (version: string): Promise<RecordStored["object"]> => {
    const record = recordOf([{ key: FILE, plain: Buffer.from("face") }]);
    delete record.identity.updated;
    return put(recordKey(SUBJECT, version), JSON.stringify(record));
  };

  /** Up to the purge of the file; the record of the first version stays. */
  async function lives() {
    const { rules, stored, extended, ended, locked, begun, purged } = await vault.script();
    const first: RecordStored = { ...stored, object: await putRecord(VERSION), lockedUntil: UNTIL };
    const purge = [
      { ...begun, keys: [FILE] } as Entry,
      { ...purged, whole: false, objects: purged.objects.filter(({ key }) => key === FILE) },
    ];
    const later: RecordStored = { ...stored, ...at("2015-07-01T22:00:00.000Z"), version: LATER, files: [] };
    const second = { ...later, updated: "2010-02-01T00:00:00Z", object: await putRecord(LATER), lockedUntil: UNTIL };
    return { before: [rules, first, extended, ended, locked], file: stored.files[0]!, purge, second };
  }

  async function retrieve(name: string): Promise<string> {
    const bag = vault.place.path(name);
    const words = ["--case", "1", "--requested-by", "Ada", "--reason", "why", "--subject", SUBJECT, "--out", bag];
    const ended = await vault.place.here("retrieve", words);
    assert.equal(ended.code, 0, ended.stderr);
    return bag;
  }

  /** What the command line and the page say. */
  async function both(bag: string): Promise<{ code: number | null; stderr: string; verdict: string; named: string[] }> {
    const vkey = JSON.parse(await readFile(join(bag, "evidence/vault.json"), "utf8")).log.vkey;
    const { code, stderr } = await vault.place.here("verify", [bag, "--vkey", vkey]);
    await using viewer = await ViewerPage.open(browser);
    await viewer.give({ vkey, bag });
    return { code, stderr, verdict: await viewer.verdict(), named: await viewer.named("problems") };
  }

  test("both readers take it without the file, where the record only lists that", async () => {
    const { before, file, purge, second } = await lives();
    const listing = { ...second, files: [{ ...file, storedWith: VERSION }] };
    assert.deepEqual((await vault.verify([...before, ...purge, listing])).found, []);
    const bag = await retrieve("listed");
    assert.ok(!existsSync(join(bag, dataPath(FILE))));
    const said = await both(bag);
    assert.deepEqual([said.code, said.verdict, said.named], [0, "Everything checks out", []], said.stderr);
    const out = vault.place.path("opened");
    const opened = await vault.place.here("open", [bag, "--key", vault.place.officer.file, "--out", out]);
    assert.equal(opened.code, 0, opened.stderr);
    for (const version of [VERSION, LATER])
      assert.deepEqual(await readdir(join(out, SUBJECT, version)), ["record.json"]);
  });

  test("both refuse it without the file, where the record stored that again, also by an entry before the purge", async () => {
    const { before, file, purge, second } = await lives();
    const again: StoredFile = { ...file, ...(await put(FILE, "face")), lockedUntil: UNTIL };
    const { time, run, subject, version } = second;
    const announced: Entry = { type: "record.files", time, run, subject, version, files: [again] };
    await vault.write([...before, announced, ...purge, { ...second, moreFiles: 1 }]);
    const bag = await retrieve("stored");
    const skey = (await readFile(vault.place.path("keys/log"), "utf8")).trim();
    await rm(join(bag, dataPath(FILE)));
    await resign(bag, skey);
    const { code, stderr, verdict, named } = await both(bag);
    assert.equal(code, 4);
    assert.ok(stderr.includes(`${dataPath(FILE)} is not what the log says was stored`), stderr);
    assert.deepEqual([verdict, named], ["This bag is not intact", [dataPath(FILE)]]);
    assert.ok(existsSync(join(bag, dataPath(RECORD))));
  });
});
