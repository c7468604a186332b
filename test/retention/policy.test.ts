import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { exportClients } from "../../jobs/export.ts";
import { placeHold } from "../../jobs/hold.ts";
import { listPurges } from "../../jobs/purge-list.ts";
import { endRelationship } from "../../jobs/relationship.ts";
import { extendAll } from "../../jobs/retention.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { makeStrictPlace } from "../faults/place.ts";
import { startSandbox } from "../sandbox/server.ts";
import { ask, objectsOf, type Result } from "./place.ts";

const NO_ONE = { identities: [], emails: [], references: [], subjects: [] };
const inDays =
  (days: number): Clock =>
  () =>
    systemClock().add({ hours: 24 * days });
const today = (): Temporal.PlainDate => Temporal.Now.plainDateISO("UTC");

describe("a policy", () => {
  test("a change is logged, and shortens no lock", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    await place.export();
    const before = await place.entries("policy.changed");
    assert.equal(before.length, 1);
    assert.equal(before[0]!.from, null);
    assert.equal(before[0]!.to.identifying, "P5Y from relationship-end");
    const locks = (await place.entries("record.stored")).map(({ lockedUntil }) => lockedUntil);
    await place.configure({ retention: { initialLock: "P7D", extendWhenLessThan: "P1D", keep: "P30D" } });
    await place.export();
    const after = await place.entries("policy.changed");
    assert.deepEqual(after[1]!.from, before[0]!.to);
    assert.equal(after[1]!.to.initialLock, "P7D");
    const vault = await place.vault();
    const entries = await place.entries("record.stored");
    for (const [at, { object }] of entries.entries())
      assert.equal(String((await vault.head(object.key)).lock!.until), locks[at]);
  });

  test("separate clocks: files past their date are deleted one by one, and the record with the last of them", async () => {
    await using sandbox = await startSandbox({ identities: 2, plainImages: true });
    const retention = { preset: "us-cip", keep: undefined, from: undefined };
    await using place = await makeWorkplace(sandbox, { client: { retention, legalBasis: undefined } });
    await exportClients(await session(place), {});
    const [subject, other] = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
    const records = await place.stored();
    assert.deepEqual((await place.record(records.get(subject!)![0]!)).legalBasis, ["31 CFR 1020.220(a)(3)"]);
    const stay = async (days: number): Promise<Map<string, Result>> => {
      const [list] = await listPurges({ ...(await session(place)), now: inDays(days) });
      return new Map(list!.purge.map((each) => [each.subject, each as unknown as Result]));
    };
    assert.equal((await stay(5 * 365)).size, 0);
    const withFiles = [...records].filter(([, [entry]]) => entry!.files.length > 0).map(([of]) => of);
    // Five years later the files are past their date; identity data must be kept, because the account is open.
    const later = await stay(5 * 366 + 1);
    assert.deepEqual([...later.keys()].sort(), withFiles.sort());
    for (const purge of later.values()) assert.deepEqual([purge.records, purge.whole], [0, false]);
    await endRelationship(await session(place), { ...NO_ONE, subjects: [subject!], date: today().toString() });
    const closed = await stay(5 * 366 + 2);
    assert.deepEqual([closed.get(subject!)!.records, closed.get(subject!)!.whole], [1, true]);
    assert.ok(closed.get(other!) === undefined || closed.get(other!)!.records === 0);
    // A hold keeps it.
    await placeHold(await session(place), { ...NO_ONE, subjects: [subject!], case: "1", reason: "r" });
    assert.equal((await stay(5 * 366 + 2)).get(subject!)!.kept, "legal hold");
  });

  test("from created: identities past their date are not exported, and no lock lasts longer", async () => {
    await using sandbox = await startSandbox({ identities: 40, files: false });
    await using place = await makeWorkplace(sandbox, {
      client: { retention: { from: "created", keep: "P18M", timezone: "UTC" } },
    });
    const [summary] = await exportClients(await session(place), {});
    assert.ok(summary!.past > 0 && summary!.new > 0, JSON.stringify(summary));
    assert.equal(summary!.past + summary!.new, 40);
    for (const { updated, lockedUntil } of await place.entries("record.stored")) {
      const last = Temporal.PlainDate.from(updated.slice(0, 10)).add({ months: 18 });
      const end = last.add({ days: 1 }).toZonedDateTime("UTC").toInstant();
      assert.ok(Temporal.Instant.compare(lockedUntil, end) <= 0);
    }
    const [again] = await exportClients(await session(place), {});
    assert.deepEqual([again!.new, again!.past], [0, summary!.past]);
  });

  test("minimal copies have the same life", async () => {
    await using sandbox = await startSandbox({ identities: 2 });
    const client = {
      collect: "minimal",
      legalBasis: undefined,
      retention: { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" },
    };
    await using place = await makeWorkplace(sandbox, { client });
    await place.export();
    await delay(2_100);
    const purged = await ask(place, 0, "retention", "purge", "--confirm", "--out", place.path("destroyed"));
    assert.deepEqual([purged.subjects, purged.records, purged.files], [2, 2, 0]);
    assert.equal(((await place.export()) as unknown as Result).past, 2);
    await place.expect(0, "verify");
  });

  test("cooling off: governance at first, compliance once it is old enough, and logged", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using opened = await makeStrictPlace(sandbox);
    const { work } = opened.place;
    await work.configure({ vault: { lock: "compliance" }, retention: { coolingOff: "P7D" } });
    await opened.place.export();
    const modes = async (): Promise<unknown[]> => {
      const vault = await work.vault();
      const infos = await Promise.all(
        (await work.entries("record.stored")).map(({ object }) => vault.head(object.key)),
      );
      return infos.map(({ lock }) => lock!.mode);
    };
    assert.deepEqual(await modes(), ["governance", "governance", "governance"]);
    const [early] = await extendAll(await opened.place.session({ now: inDays(6) }));
    assert.equal(early!.objects, 0);
    const [cooled] = await extendAll(await opened.place.session({ now: inDays(8) }));
    assert.deepEqual([cooled!.subjects, cooled!.failed], [3, 0]);
    assert.deepEqual(await modes(), ["compliance", "compliance", "compliance"]);
    const logged = await work.entries("lock.extended");
    assert.deepEqual(
      logged.map(({ lockMode }) => lockMode),
      ["compliance", "compliance", "compliance"],
    );
    // The date did not change.
    const stored = await work.entries("record.stored");
    for (const { subject, lockedUntil } of logged)
      assert.equal(lockedUntil, stored.find((entry) => entry.subject === subject)!.lockedUntil);
    assert.equal((await extendAll(await opened.place.session({ now: inDays(9) })))[0]!.objects, 0);
  });
});

describe("relationships", () => {
  test("from a table: invalid lines are reported before anything is done; unknown people are skipped", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const [first, second] = sandbox.ids();
    const table = place.path("closed.csv");
    const end = async (code: number, ...lines: string[]): Promise<Result> => {
      await writeFile(table, lines.join("\r\n"));
      return ask(place, code, "relationship", "end", "--csv", table);
    };
    const day = today().subtract({ days: 3 }).toString();
    for (const lines of [
      [],
      ["name,date", `x,${day}`],
      ["identity,date", `${first},yesterday`],
      ["identity,date", `${first}`],
      ["identity,date", `"${first},${day}`],
      ["identity,date", `${first},${day}`, `${first},2026-01-01`],
      ["identity,date", `${first},2026-02-30`],
      ["identity,date", `${first},${today().add({ years: 1, days: 1 })}`],
    ]) {
      const { error } = (await end(2, ...lines)) as { error: { code: string; message: string } };
      assert.equal(error.code, "usage", lines.join());
      assert.ok(!error.message.includes(first!), "an id in a message");
    }
    assert.equal((await place.entries("relationship.ended")).length, 0);

    const done = await end(
      3,
      "\uFEFFDate;Identity",
      `${day};${first}`,
      `${day};no one-of-ours`,
      "",
      `"${day}";"${second}"`,
    );
    assert.equal(done.subjects, 2);
    assert.deepEqual(
      (done.unusable as { line: number }[]).map(({ line }) => line),
      [3],
    );
    const subjects = [await place.subject(first!), await place.subject(second!)];
    assert.deepEqual(
      new Set((await place.entries("relationship.ended")).map(({ subject }) => subject)),
      new Set(subjects),
    );
    const final = Temporal.PlainDate.from(day)
      .add({ years: 5 })
      .add({ days: 1 })
      .toZonedDateTime("UTC")
      .add({ hours: 12 })
      .toInstant();
    for (const { lock } of await objectsOf(place, subjects[0]!)) assert.equal(String(lock!.until), String(final));
    // A later day extends the lock, an earlier one cannot shorten it.
    const later = today().toString();
    await ask(place, 0, "relationship", "end", "--subject", subjects[0]!, "--date", later);
    await ask(place, 0, "relationship", "end", "--subject", subjects[0]!, "--date", day);
    for (const { lock } of await objectsOf(place, subjects[0]!))
      assert.equal(lock!.until.since(final).total("hours"), 72);
    assert.equal((await place.expect<Result>(0, "verify"))[0]!.problems, 0);
  });

  test("a date beyond the limits is refused before any lock is set", async () => {
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using place = await makeWorkplace(sandbox, { client: { retention: { maximum: "P5Y" } } });
    await place.export();
    const [id] = sandbox.ids();
    const { error } = (await ask(place, 2, "relationship", "end", "--identity", id!, "--date", today().toString())) as {
      error: { message: string };
    };
    assert.match(error.message, /beyond retention\.maximum/);
    await ask(place, 0, "relationship", "end", "--identity", id!, "--date", today().subtract({ days: 2 }).toString());
  });
});

describe("holds", () => {
  test("two cases: the second keeps what the first released; objects stored later are held too", async () => {
    await using sandbox = await startSandbox({ identities: 2, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const subject = await place.subject(sandbox.ids()[0]!);
    const hold = (verb: "place" | "release", number: string): Promise<Result> =>
      ask(place, 0, "hold", verb, "--case", number, "--reason", "r", "--subject", subject);
    await hold("place", "A");
    await hold("place", "B");
    const first = await objectsOf(place, subject);
    sandbox.change([0]);
    await place.export();
    const all = await objectsOf(place, subject);
    assert.ok(all.length > first.length);
    for (const { hold: held, key } of all) assert.ok(held, key);
    await hold("release", "A");
    for (const { hold: held } of await objectsOf(place, subject)) assert.ok(held);
    assert.equal((await place.expect<Result>(0, "verify"))[0]!.stuck, 0);
    await hold("release", "B");
    for (const { hold: held } of await objectsOf(place, subject)) assert.ok(!held);
    assert.equal((await hold("release", "B")).unchanged, 1);
    // Neither number nor reason is stored anywhere.
    const log = JSON.stringify(await place.entries());
    assert.ok(!log.includes('"A"') && !log.includes('"r"'));
  });

  test("a hold that is not in the log is reported by verify, stops only that person's purge, and can be released", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    const retention = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };
    await using place = await makeWorkplace(sandbox, { client: { retention } });
    await place.export();
    const subject = await place.subject(sandbox.ids()[0]!);
    const vault = await place.vault();
    const [object] = await objectsOf(place, subject);
    await vault.hold(object!.key, object!.versionId, true);
    await delay(2_100);
    assert.equal((await place.expect<Result>(0, "verify"))[0]!.stuck, 1);
    const ended = await place.here("retention", ["purge", "--confirm", "--out", place.path("one"), "--json"]);
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(ended.stderr, /refuses to delete a version/);
    assert.equal((await objectsOf(place, subject)).length, 1);
    assert.equal((await place.expect<Result>(0, "verify"))[0]!.unfinished, 1);
    await ask(place, 0, "hold", "release", "--case", "none", "--reason", "not ours", "--subject", subject);
    await ask(place, 0, "retention", "purge", "--confirm", "--out", place.path("two"));
    assert.equal((await objectsOf(place, subject)).length, 0);
    assert.equal((await place.expect<Result>(0, "verify"))[0]!.unfinished, 0);
  });
});
