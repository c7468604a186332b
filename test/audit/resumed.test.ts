import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Entry } from "../../src/audit/entry.ts";
import { checkCertificate } from "../../src/certificate/certificate-check.ts";
import { writeCertificate } from "../../src/certificate/certificate-writer.ts";
import { policyOf } from "../../src/retention/policy.ts";
import { recordKey } from "../../src/vault/layout.ts";
import { FILE, RECORD, type Script } from "../verify/scripted.ts";
import { BACK, ComesBack, isWell, LATER, marker, record, text } from "./comes-back.ts";

const [HELD, ENDED] = ["01".repeat(16), "02".repeat(16)] as [string, string];
const NOW = marker("", 0).time;
const a = (day: number) => ({ time: `2015-06-${day}T12:00:00.000Z`, run: "a" });
const b = (day: number) => ({ time: `2015-06-${day}T12:00:00.000Z`, run: "b" });
const started = (of: { time: string; run: string }): Entry => {
  return { type: "run.started", ...of, job: "export", holdfast: "0.1.0" };
};
const hold = (of: { time: string; run: string }, type: "hold.placed" | "hold.released"): Entry => {
  const common = { ...of, subject: HELD, case: "1".repeat(32), commitment: "1".repeat(64) };
  return type === "hold.placed" ? { type, ...common, objects: [] } : { type, ...common };
};
const ends = (of: { time: string; run: string }): Entry => {
  return { type: "relationship.ended", ...of, subject: ENDED, ended: "2015-06-01" };
};
const reopened = (of: { time: string; run: string }): Entry => {
  return { type: "relationship.reopened", ...of, subject: ENDED };
};
const rules = (of: Script, time: { time: string; run: string }): Entry => {
  return { ...of.rules, ...time, from: (of.rules as Extract<Entry, { type: "policy.changed" }>).to } as Entry;
};

/** Machine a dies on 28 June, b purges on 2 July, a comes back on 5 July. */
describe("a machine comes back days after another one purged", () => {
  let scene: ComesBack;
  before(async () => {
    scene = await ComesBack.make();
  });
  after(() => scene[Symbol.asyncDispose]());
  beforeEach(() => scene.clear());

  test("verify finds no problem: what a logs again follows a marker, and entries that lead to a purge have the current time", async () => {
    const script = await scene.vault.script();
    const { rules: first, stored, extended, ended, locked, begun, purged } = script;
    const object = await scene.put(recordKey(HELD, LATER));
    const mine = [
      started(a(28)),
      record(LATER, "a", { ...a(28), subject: HELD, object }),
      hold(a(28), "hold.placed"),
      ends(a(28)),
    ];
    // Everything except the purge is more than a day older than it.
    const theirs = [started(b(29)), hold(b(29), "hold.released"), reopened(b(29)), begun, purged];
    const lives = [first, stored, extended, ended, locked];
    const { log, ...rest } = await scene.comesBack(lives, mine, theirs, BACK);
    const again = [...mine.slice(0, -1), { ...mine.at(-1)!, time: NOW }];
    const last = [{ ...hold(b(29), "hold.released"), time: NOW }, reopened(b(29))];
    assert.deepEqual(log, [marker("a", 4), ...again, marker("b", 2), ...last].map(text));
    assert.deepEqual(rest, isWell);
  });

  test("a third machine that repeats what the second logged again adds a marker too", async () => {
    const { rules: first, stored, extended, ended, locked, begun, purged } = await scene.vault.script();
    const before = [first, stored, extended, ended, locked, begun, purged];
    const mine = [hold({ ...a(28), time: "2015-07-03T00:00:00.000Z", run: "c" }, "hold.placed")];
    const { log, ...rest } = await scene.comesBack(before, mine, [marker("a", 1), hold(a(28), "hold.placed")], BACK);
    assert.deepEqual(log, [marker("c", 1), ...mine, marker("a", 1), hold(a(28), "hold.placed")].map(text));
    assert.deepEqual(rest, isWell);
  });

  test("a certificate of a later purge has the marker in its trail and is checked with it", async () => {
    const script = await scene.vault.script();
    const { rules: first, stored, extended, ended, locked, purged, begun } = script;
    const [sealed, file] = purged.objects;
    const { vault } = scene;
    const objects = [{ key: RECORD, versionId: "00000001" }];
    const lock = { ...script.lock("", "2015-07-01T00:00:00Z"), ...a(28), objects } as Entry;
    await scene.comesBack(
      [first, stored, extended, ended, locked],
      [lock, started(a(28))],
      [{ ...begun, keys: [FILE] } as Entry, { ...purged, objects: [file!], whole: false }],
      BACK,
    );
    const later = { run: "later", time: "2015-07-06T00:00:00.000Z" };
    const log = (await scene.log()).map((line) => JSON.parse(line) as Entry);
    const gone = { ...purged, ...later, objects: [sealed!] };
    const { found } = await vault.verify([...log, { ...begun, ...later, keys: [RECORD] }, gone]);
    assert.deepEqual(found, []);
    const folder = vault.place.path("certificate");
    const at = await vault.place.log();
    const { retention } = await vault.place.client();
    const signer = await vault.signer();
    await writeCertificate({
      ...{ folder, client: "acme-bank", runs: ["later"], stopped: [], legalBasis: [], policy: policyOf(retention) },
      ...{ log: at, signer, now: Temporal.Now.instant(), signal: new AbortController().signal },
    });
    const checked = await checkCertificate(folder, { vkey: signer.verifier.vkey });
    assert.equal(checked.ledThere, "checked");
    const lines = (await readFile(join(folder, "entries.jsonl"), "utf8")).trim().split("\n");
    assert.ok(lines.some((line) => JSON.parse(line).entry === text(marker("a", 2))));
  });
});

/** Anyone with the log key can write markers, and can name any earlier run in them. */
describe("a forged marker", () => {
  let scene: ComesBack;
  before(async () => {
    scene = await ComesBack.make();
  });
  after(() => scene[Symbol.asyncDispose]());

  const isFound = async (entries: readonly Entry[], what: RegExp): Promise<void> => {
    const { found } = await scene.vault.verify(entries);
    assert.match(found.map((each) => each.what).join("\n"), what);
  };

  test("does not hide that a purge was dated ahead, neither by covering later runs nor by ending before", async () => {
    const script = await scene.vault.script();
    const forged = script.entries();
    const ahead = { ...marker("20100101T000000Z-abcdef", 100), time: script.purged.time };
    const nights = [started(a(28)), started(b(29))];
    await isFound([...forged, ahead, ...nights], /belongs to a run other than .* was logged again/);
    await isFound([...forged, ahead, ...nights], /is dated 2015-07-02T.*, but a later entry is dated 2015-06-28T/);
    // Even if it could name the first of these runs.
    const named = { ...ahead, run: "a" };
    await isFound([...forged, named, ...nights], /belongs to a run other than a, .* was logged again/);
    await isFound(
      [...forged, { ...named, count: 1 }, ...nights],
      /is dated 2015-07-02T.*, but a later entry is dated 2015-06-29T/,
    );
    await isFound(
      [...forged, { ...named, ...a(27) }],
      /is dated 2015-07-02T.*, but a later entry is dated 2015-06-27T/,
    );
    assert.equal((await scene.verify()).code, 4);
  });

  test("does not cover entries that lead to a purge under an old date, nor a purge", async () => {
    const script = await scene.vault.script();
    const begins = { type: "purge.begun" as const, ...a(28), subject: HELD, keys: [] as string[] };
    const kinds = [ends(a(28)), hold(a(28), "hold.released"), rules(script, a(28))];
    for (const kind of kinds) {
      const what = new RegExp(
        `is a ${kind.type} of 2015-06-28T12:00:00.000Z, but entry 7 says that it was logged again`,
      );
      await isFound([...script.entries(), marker("a", 2), started(a(28)), kind], what);
    }
    const withdrawn: Entry = { ...begins, type: "purge.withdrawn" };
    const purged: Entry = { ...script.purged, ...a(28), subject: HELD, objects: [], ended: undefined, whole: false };
    for (const purge of [begins, withdrawn, purged])
      await isFound([...script.entries(), marker("a", 1), purge], new RegExp(`is a ${purge.type}, but entry 7 says`));
    assert.equal((await scene.verify()).code, 4);
  });

  test("does not make a record due earlier by logging it again with an old date", async () => {
    const script = await scene.vault.script();
    script.rules = { ...script.rules, to: { ...(script.rules as { to: object }).to, ...EXPORTED } } as Entry;
    const entries = script.entries().toSpliced(-2);
    // Stored on 1 January 2010, to be kept for five years, and purged a year too early.
    const early = [script.begun, script.purged].map(
      (entry) => JSON.parse(JSON.stringify(entry).replaceAll("2015-07-0", "2014-01-0")) as Entry,
    );
    const again = { ...script.stored, time: "2008-06-28T12:00:00.000Z", run: "a" };
    await isFound(
      [...entries, { ...marker("a", 1), time: "2013-12-31T00:00:00.000Z" }, again, ...early],
      /had to be kept until 2015-01-02T00/,
    );
  });
});

const EXPORTED = { identifying: "P5Y from exported", verification: "P5Y from exported", files: "P5Y from exported" };
