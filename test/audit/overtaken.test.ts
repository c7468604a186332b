import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, beforeEach, describe, test } from "node:test";
import { type Entry, encodeEntry, type RecordStored } from "../../src/audit/entry.ts";
import { fileKey, recordKey } from "../../src/vault/layout.ts";
import { at, FILE, RECORD, type Script, ScriptedVault, SUBJECT, VERSION } from "../evidence/scripted.ts";
import { CLIENT } from "../export/workplace.ts";
import { Desk } from "./desk.ts";
import { dying } from "./memory-vault.ts";

const LATER = "20100201T000000Z-0123456789ab";
const OTHER = fileKey(SUBJECT, "ef".repeat(16));
/** Locks that nobody has to see end. */
const UNTIL = "2040-01-01T00:00:00Z";
const text = (entry: Entry): string => Buffer.from(encodeEntry(entry)).toString();

/** Machine a dies with what it journaled, b goes on, a comes back: the log then, and what the command verify says. */
describe("a machine comes back after another one purged, or stored other versions", () => {
  let vault: ScriptedVault;
  let desks = 0;
  before(async () => {
    vault = await ScriptedVault.make();
  });
  after(() => vault[Symbol.asyncDispose]());

  /** A real object in the vault, as the log is to tell of it. */
  async function put(key: string): Promise<RecordStored["object"]> {
    const open = await vault.place.vault();
    const lock = { mode: "governance", until: Temporal.Instant.from(UNTIL) } as const;
    const { versionId } = await open.put(key, Buffer.from(`${desks} ${key}`), { lock });
    const { size, sha256 } = await open.head(key, versionId);
    await open.close();
    return { key, versionId, size, sha256: sha256! };
  }

  async function file(key: string): Promise<RecordStored["files"][number]> {
    return { ...(await put(key)), type: "document_image", mediaType: "image/png", lockedUntil: UNTIL };
  }

  function record(version: string, run: string, changes: Partial<RecordStored>): RecordStored {
    const updated = `${version.slice(0, 4)}-${version.slice(4, 6)}-${version.slice(6, 8)}T00:00:00Z`;
    return {
      ...{ type: "record.stored", time: "2015-07-02T00:00:00.000Z", run, subject: SUBJECT, version, updated },
      ...{ object: { key: "", versionId: "", size: 0, sha256: "" }, files: [], withheld: 0, recipients: [] },
      ...{ lockedUntil: UNTIL, lookups: {} },
      ...changes,
    };
  }

  async function comesBack(
    before: readonly Entry[],
    mine: readonly Entry[],
    others: readonly Entry[],
  ): Promise<{ log: string[]; code: number | null; found: string[]; orphans: number }> {
    const { place } = vault;
    await vault.write(before);
    const open = await place.vault();
    const own = { signer: await vault.signer() };
    desks += 1;
    const [a, b] = ["a", "b"].map((name) => new Desk(open, place.path(`desk-${desks}-${name}`), own));
    for (const desk of [a!, b!]) await (await desk.open()).close();
    const dead = await a!.open({ vault: dying(open, 0, "before"), batch: 1 << 20 });
    for (const entry of mine) await dead.append(entry);
    await assert.rejects(dead.flush(), { code: "vault-unavailable" });
    await dead.close();
    const standby = await b!.open();
    for (const entry of others) await standby.append(entry);
    await standby.flush();
    await standby.close();
    await (await a!.open()).close();
    await open.close();
    const { log, head } = await place.log();
    const entries = await Array.fromAsync(log.entries(0, head.size), ({ bytes }) => Buffer.from(bytes).toString());
    const ended = await place.holdfast("verify", ["--orphans", "--json"]);
    const [client] = (ended.json as { clients: { found: { key: string; what: string }[]; orphaned: object[] }[] })
      .clients;
    return {
      ...{ log: entries.slice(before.length + others.length), code: ended.code },
      ...{ found: client!.found.map(({ key, what }) => `${key} ${what}`), orphans: client!.orphaned.length },
    };
  }

  beforeEach(async () => {
    for (const folder of ["records", "files", ".versions/records", ".versions/files"])
      await rm(vault.place.path("vault", CLIENT, folder), { recursive: true, force: true });
  });

  const isWell = { code: 0, found: [], orphans: 0 };
  const onlyFiles = (of: Script): Entry[] => {
    const purged: Entry = { ...of.purged, whole: false, objects: of.purged.objects.slice(1) };
    return [{ ...of.begun, keys: [FILE] } as Entry, purged];
  };

  test("its record.files are in the log and its record is not: the files stay with that record", async () => {
    const { rules } = await vault.script();
    const files = [await file(FILE), await file(OTHER)];
    const mine = record(VERSION, "a", { object: await put(RECORD), moreFiles: 2 });
    const { time, run, subject, version } = mine;
    const announced: Entry = { type: "record.files", time, run, subject, version, files };
    const theirs = record(LATER, "b", { object: await put(recordKey(SUBJECT, LATER)) });
    const { log, ...rest } = await comesBack([rules, announced], [mine], [theirs]);
    assert.deepEqual(log, [mine, theirs].map(text));
    assert.deepEqual(rest, isWell);
    const [report] = await vault.place.expect<{ records: number; files: number }>(0, "verify");
    assert.deepEqual([report!.records, report!.files], [2, 2]);
  });

  test("the other one's record of many files is repeated with all of them, and half of one is not", async () => {
    const { rules } = await vault.script();
    const mine = record(LATER, "a", { object: await put(recordKey(SUBJECT, LATER)) });
    const theirs = record(VERSION, "b", { object: await put(RECORD), moreFiles: 1 });
    const { time, run, subject, version } = theirs;
    const files: Entry = { type: "record.files", time, run, subject, version, files: [await file(FILE)] };
    const half: Entry = { ...files, run: "killed" };
    const { log, ...rest } = await comesBack([rules], [mine], [half, files, theirs]);
    assert.deepEqual(log, [mine, files, theirs].map(text));
    assert.deepEqual(rest, isWell);
  });

  test("what it stored and locked of somebody whom the other one purged is not logged again", async () => {
    const script = await vault.script();
    const { rules, stored, ended, begun, purged } = script;
    const mine = { ...stored, ...at("2015-07-01T23:00:00.000Z"), run: "a" } as Entry;
    const before = [rules, stored, script.extended, ended, script.locked];
    const locked = script.lock("2015-07-01T23:00:00.000Z", "2015-07-01T23:30:00Z");
    for (const [published, since] of [
      [[], [begun, purged]],
      [[begun], [purged]],
    ] as const) {
      const { log, ...rest } = await comesBack([...before, ...published], [mine, locked], since);
      assert.deepEqual(log, []);
      assert.deepEqual(rest, isWell);
    }
  });

  test("nor what it stored of an object whose purge the other one began, and did not end", async () => {
    const script = await vault.script();
    const { rules, stored, ended, begun } = script;
    const again = (run: string, time: string): Entry => ({ ...stored, ...at(time), run });
    const { log, ...rest } = await comesBack(
      [rules, stored, script.extended, ended, script.locked],
      [again("a", "2015-07-01T22:00:00.000Z")],
      [again("b", "2015-07-01T23:00:00.000Z"), begun],
    );
    assert.deepEqual(log, []);
    assert.deepEqual(rest, isWell);
  });

  test("its record of many files is left out whole, where one of them was purged, also one that the log announced", async () => {
    const script = await vault.script();
    const { rules, stored, ended } = script;
    const object = await put(RECORD);
    const now = "2015-07-01T22:00:00.000Z";
    const first: RecordStored = { ...stored, object };
    const mine: RecordStored = { ...first, ...at(now), run: "a", files: [], moreFiles: 1 };
    const files: Entry = {
      ...at(now),
      run: "a",
      type: "record.files",
      subject: SUBJECT,
      version: VERSION,
      files: stored.files,
    };
    const purge = onlyFiles(script);
    for (const [published, waiting] of [
      [[], [files, mine]],
      [[files], [mine]],
    ] as const) {
      const { log, ...rest } = await comesBack(
        [rules, first, script.extended, ended, script.locked, ...published],
        [...waiting, script.lock(now, "2015-07-01T22:30:00Z")],
        purge,
      );
      assert.deepEqual(log, []);
      assert.deepEqual(rest, isWell);
    }
  });

  test("what the other one stored last stays the last, also where it cannot be repeated", async () => {
    const script = await vault.script();
    const { rules, stored, ended } = script;
    const [older, newer] = [await put(RECORD), await put(RECORD)];
    const mine: RecordStored = { ...stored, ...at("2015-07-01T22:00:00.000Z"), run: "a", object: older, files: [] };
    const theirs: RecordStored = { ...stored, ...at("2015-07-01T23:00:00.000Z"), run: "b", object: newer };
    const { log, ...rest } = await comesBack([rules, ended], [mine], [theirs, ...onlyFiles(script)]);
    assert.deepEqual(log, []);
    assert.deepEqual(rest, { ...isWell, orphans: 1 });
  });

  test("its record that only lists a purged file is logged, accuses nobody, and does not bring the file back", async () => {
    const script = await vault.script();
    const { rules, stored, ended } = script;
    const first: RecordStored = { ...stored, object: await put(RECORD) };
    const object = await put(recordKey(SUBJECT, LATER));
    const files = [{ ...stored.files[0]!, storedWith: VERSION }];
    const mine = record(LATER, "a", { object, files, ...at("2015-07-01T22:00:00.000Z") });
    const { log, ...rest } = await comesBack(
      [rules, first, script.extended, ended, script.locked],
      [mine],
      onlyFiles(script),
    );
    assert.deepEqual(log, [text(mine)]);
    assert.deepEqual(rest, isWell);
    // What was purged and lies there again is told: the list did not make it stored.
    await put(FILE);
    const again = await vault.place.holdfast("verify", ["--json"]);
    assert.equal(again.code, 4);
    assert.match(again.stderr, /was purged, as the log says, and is there still/);
  });

  test("a record that lists a purged file and was written after the purge is a problem", async () => {
    const script = await vault.script();
    const { rules, stored, ended } = script;
    const first: RecordStored = { ...stored, object: await put(RECORD) };
    const files = [{ ...stored.files[0]!, storedWith: VERSION }];
    const object = await put(recordKey(SUBJECT, LATER));
    const listing = record(LATER, "a", { object, files, ...at("2015-07-03T00:00:00.000Z") });
    const before = [rules, first, script.extended, ended, script.locked, ...onlyFiles(script)];
    const { found } = await vault.verify([...before, listing]);
    assert.deepEqual(
      found.map(({ key, what }) => `${key} ${what}`),
      [`${FILE} was stored with ${VERSION}, and no entry before this says so`],
    );
  });
});
