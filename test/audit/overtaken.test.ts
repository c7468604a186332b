import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Entry, RecordStored } from "../../src/audit/entry.ts";
import { recordKey } from "../../src/vault/layout.ts";
import { at, FILE, RECORD, type Script, SUBJECT, VERSION } from "../verify/scripted.ts";
import { BACK, ComesBack, isWell, LATER, marker, OTHER, record, text } from "./comes-back.ts";

/** Machine a dies with entries in its journal, b continues, a comes back: the resulting log, and what verify says. */
describe("a machine comes back after another one purged or stored other versions", () => {
  let scene: ComesBack;
  let vault: ComesBack["vault"];
  before(async () => {
    scene = await ComesBack.make();
    vault = scene.vault;
  });
  after(() => scene[Symbol.asyncDispose]());
  beforeEach(() => scene.clear());

  const put = (key: string) => scene.put(key);
  const file = (key: string) => scene.file(key);
  const comesBack = (...of: Parameters<ComesBack["comesBack"]>) => scene.comesBack(...of);

  const onlyFiles = (of: Script): Entry[] => {
    const purged: Entry = { ...of.purged, whole: false, objects: of.purged.objects.slice(1) };
    return [{ ...of.begun, keys: [FILE] } as Entry, purged];
  };

  test("if its record.files are in the log but its record is not, the files stay with that record", async () => {
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

  test("the other machine's record with many files is repeated completely, and an incomplete one is not", async () => {
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

  test("objects that it stored and locked are not logged again if the other machine purged them", async () => {
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

  test("nor objects whose purge the other machine began and did not finish", async () => {
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

  test("its record with many files is omitted completely if one file was purged, even one already in the log", async () => {
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

  test("what the other machine stored last stays last, even if it cannot be repeated", async () => {
    const script = await vault.script();
    const { rules, stored, ended } = script;
    const [older, newer] = [await put(RECORD), await put(RECORD)];
    const mine: RecordStored = { ...stored, ...at("2015-07-01T22:00:00.000Z"), run: "a", object: older, files: [] };
    const theirs: RecordStored = { ...stored, ...at("2015-07-01T23:00:00.000Z"), run: "b", object: newer };
    const { log, ...rest } = await comesBack([rules, ended], [mine], [theirs, ...onlyFiles(script)]);
    assert.deepEqual(log, []);
    assert.deepEqual(rest, { ...isWell, orphans: 1 });
  });

  test("its record that only lists a purged file is logged, causes no problem, and does not restore the file", async () => {
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
      BACK,
    );
    assert.deepEqual(log, [marker(mine.run, 1), mine].map(text));
    assert.deepEqual(rest, isWell);
    // A purged object that exists again is reported: listing it did not make it stored.
    await put(FILE);
    const again = await vault.place.here("verify", ["--json"]);
    assert.equal(again.code, 4);
    assert.match(again.stderr, /was purged according to the log, but still exists/);
  });

  test("a record written after a purge that lists a purged file is a problem", async () => {
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
      [`${FILE} was stored with ${VERSION}, but no earlier entry says so`],
    );
  });
});
