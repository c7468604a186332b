import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type NightOptions, night, Provider } from "./provider.ts";
import { CLIENT, makeWorkplace, type Workplace } from "./workplace.ts";

/** How many were asked about, for each reason with any. */
const ways = (of: Awaited<ReturnType<typeof night>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(of).filter(([name, count]) => name.startsWith("asked") && (count as number) > 0),
  ) as Record<string, number>;

const day = (n: number): string =>
  Temporal.Instant.from("2026-03-01T02:00:00Z")
    .add({ hours: 24 * n })
    .toString();

/** Subjects follow from the key: with this one, whose turn it is at a time is the same in every run of these tests. */
const newPlace = (collect = "minimal"): Promise<Workplace> =>
  makeWorkplace({ url: "http://127.0.0.1:9", apiKey: "unused" }, { client: { collect }, lookupKey: "5e".repeat(32) });

/** A provider that names changes, whose people the vault has since day 0. */
async function begun(provider: Provider, ...ids: string[]): Promise<Workplace & AsyncDisposable> {
  const place = await newPlace();
  provider.add(...ids);
  const first = await night(place, provider, day(0));
  assert.deepEqual([first.new, provider.walks], [ids.length, 1]);
  return place;
}

const many = (count: number, prefix = "p"): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

test("a source that names changes is walked each week, and asked for changes since the last run on other nights", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b");
  const walked = [];
  for (let n = 1; n <= 15; n++) {
    const before = provider.walks;
    await night(place, provider, day(n));
    if (provider.walks > before) walked.push(n);
  }
  assert.deepEqual(walked, [7, 14]);
  assert.deepEqual(provider.since.slice(0, 2), [day(0), day(1)]);
  assert.deepEqual(provider.since.at(-1), day(14));
  const marks = (await place.entries("run.finished")).map(({ round, walked }) => [round, walked]);
  assert.deepEqual(marks.slice(0, 2), [
    [true, true],
    [true, undefined],
  ]);
});

test("a source that names no changes is walked in every run", async () => {
  const provider = new Provider();
  provider.can = { list: true, changes: false };
  await using place = await begun(provider, "a", "b");
  for (let n = 1; n <= 3; n++) await night(place, provider, day(n));
  assert.deepEqual([provider.walks, provider.since], [4, []]);
});

test("a person whom the source names twice is asked about once, and only if they are named", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b", "c");
  provider.people.get("b")!.says = "something else";
  provider.changed = ["b", "a", "b"];
  const summary = await night(place, provider, "2026-03-01T02:10:00Z");
  assert.deepEqual(provider.asked.toSorted(), ["a", "b"]);
  assert.deepEqual(ways(summary), { askedByChanges: 2 });
  assert.deepEqual([summary.examined, summary.changed, summary.unchanged], [2, 1, 1]);
  const { counts } = (await place.entries("run.finished")).at(-1)!;
  assert.deepEqual([counts.askedByChanges, counts.askedInTurn, counts.askedByList], [2, 0, 0]);
});

test("someone named as changed who is not there is nothing if the vault never had them, and gone if it has", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b");
  provider.people.delete("a");
  provider.changed = ["a", "never-seen"];
  const first = await night(place, provider, "2026-03-01T02:10:00Z");
  assert.deepEqual([first.failed, first.gone, first.outcome], [1, 1, "partial"]);
  const summary = await night(place, provider, day(1));
  assert.deepEqual([summary.failed, summary.gone, summary.outcome], [0, 2, "done"]);
  const gone = await place.entries("record.gone");
  assert.deepEqual(
    gone.map(({ subject, reason }) => [subject, reason]),
    [[await place.subject("a"), "deleted"]],
  );
  // Said once, though the source names them again.
  await night(place, provider, day(2));
  assert.equal((await place.entries("record.gone")).length, 1);
});

test("where nothing is ever gone, someone who disappears before being stored fails once, and someone kept is unchanged", async () => {
  const provider = new Provider();
  provider.can = { list: true, changes: false, deletes: false };
  await using place = await begun(provider, "a", "b");
  provider.add("new");
  provider.people.get("a")!.says = "something else";
  // Both are taken away between the list and the question.
  provider.onAsked = (id) => void provider.people.delete(id);
  const summary = await night(place, provider, "2026-03-01T02:10:00Z");
  assert.deepEqual([summary.failed, summary.unchanged, summary.gone, summary.outcome], [1, 2, 0, "partial"]);
  assert.deepEqual(
    (await place.entries("record.failed")).map(({ subject, code }) => [subject, code]),
    [[await place.subject("new"), "source-missing"]],
  );
  const next = await night(place, provider, "2026-03-02T02:10:00Z");
  assert.deepEqual([next.failed, next.gone], [0, 0]);
});

test("a key that may not ask for changes: the list is walked each night, and the run says why", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b");
  provider.mayAskChanges = false;
  provider.people.get("a")!.says = "something else";
  for (const at of [day(1), day(2)]) {
    const before = provider.walks;
    const summary = await night(place, provider, at);
    assert.equal(provider.walks, before + 1);
    assert.match(summary.said.join("\n"), /may not ask for changes: walking the whole list/);
    assert.equal(summary.outcome, "done");
  }
  assert.equal((await place.stored()).get(await place.subject("a"))!.length, 2);
});

test("only a whole walk with readable entries shows who is gone, and only a whole one counts as the week's", async () => {
  for (const [fault, due] of [
    [{ whole: false }, true],
    [{ unreadable: 1 }, false],
  ] as const) {
    const provider = new Provider();
    provider.can = { list: true, changes: false };
    await using place = await begun(provider, "a", "b");
    provider.people.delete("a");
    Object.assign(provider, fault);
    // Not asked in turn, which would show it as deleted.
    for (const at of [1, 2, 3]) {
      const summary = await night(place, provider, `2026-03-01T02:0${at}:00Z`);
      assert.deepEqual([summary.gone, ways(summary)], [0, {}]);
    }
    assert.deepEqual(await place.entries("record.gone"), []);
    assert.equal((await place.entries("run.finished")).at(-1)!.walked === undefined, due);
    Object.assign(provider, { whole: true, unreadable: 0 });
    assert.equal((await night(place, provider, "2026-03-01T02:04:00Z")).gone, 0);
    assert.equal((await night(place, provider, "2026-03-01T02:05:00Z")).gone, 1);
    assert.equal((await place.entries("record.gone"))[0]!.reason, "unlisted");
  }
});

test("everyone is asked about within resync, by the log alone, and each once in a round", async () => {
  const provider = new Provider();
  const people = many(60);
  await using place = await begun(provider, ...people);
  provider.people.get("p7")!.says = "what no change announced, and the list neither";
  const asked = new Map<string, number[]>();
  let time = 0;
  // 30 days in steps of different lengths; the state is lost twice.
  for (const step of [1, 2.5, 0.25, 4, 9, 1, 6, 3, 2.5, 0.7]) {
    time += step;
    if (step === 4 || step === 3) await rm(place.path("state"), { recursive: true });
    const hours = Math.round(time * 24);
    const at = Temporal.Instant.from(day(0)).add({ hours }).toString();
    const summary = await night(place, provider, at);
    assert.equal(summary.askedInTurn + summary.askedByList, provider.asked.length);
    for (const id of provider.asked) asked.set(id, [...(asked.get(id) ?? []), time]);
  }
  assert.ok(time < 30);
  const rest = Temporal.Instant.from(day(0))
    .add({ hours: 30 * 24 })
    .toString();
  await night(place, provider, rest);
  for (const id of provider.asked) asked.set(id, [...(asked.get(id) ?? []), 30]);
  assert.deepEqual([...asked.keys()].sort(), people.toSorted());
  const twice = [...asked].filter(([, times]) => times.length > 1).map(([id]) => id);
  // Asked by the list once, and in turn.
  assert.ok(
    twice.every((id) => id === "p7"),
    `asked twice: ${twice}`,
  );
});

test("a run that failed or was interrupted does not count: the next one looks at all that it had to", async () => {
  const provider = new Provider();
  await using place = await begun(provider, ...many(40));
  await place.configure({ source: { resync: "P6D" } });
  const stop = new AbortController();
  provider.onAsked = () => stop.abort();
  const cut = await night(place, provider, day(5), { signal: stop.signal });
  assert.equal(cut.outcome, "interrupted");
  provider.onAsked = () => {};
  const { mayAskChanges } = provider;
  provider.can = { list: false, changes: true };
  provider.mayAskChanges = false;
  await assert.rejects(night(place, provider, day(5)), /may not search/);
  Object.assign(provider, { can: { list: true, changes: true }, mayAskChanges });
  const whole = await night(place, provider, day(6));
  assert.equal(provider.since.at(-1), day(0));
  // Six days of a round of six, not one.
  assert.equal(whole.askedInTurn, 40);
  assert.deepEqual(
    (await place.entries("run.finished")).map(({ outcome, round }) => [outcome, round]),
    [
      ["done", true],
      ["interrupted", undefined],
      ["failed", undefined],
      ["done", true],
    ],
  );
});

test("a named person's run does not count as the night's", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b");
  await night(place, provider, day(3), { identities: ["a"] });
  await night(place, provider, day(4));
  assert.deepEqual(provider.since, [day(0)]);
});

test("after a clock that was ahead, the list is walked, and nothing waits for that day", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b");
  await night(place, provider, "2027-03-01T02:00:00Z");
  const before = provider.walks;
  await night(place, provider, day(1));
  assert.equal(provider.walks, before + 1);
  await night(place, provider, day(2));
  assert.equal(provider.since.at(-1), day(1));
  await night(place, provider, day(9));
  assert.equal(provider.walks, before + 2);
});

test("someone whose attempt failed is asked again each night, even if the vault never had them, until they are settled", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b");
  provider.people.set("new", { updated: "2026-01-01T00:00:00Z", says: "hello" });
  provider.broken.add("new").add("a");
  provider.changed = ["new", "a"];
  assert.equal((await night(place, provider, "2026-03-01T02:01:00Z")).failed, 2);
  provider.changed = [];
  const again = await night(place, provider, "2026-03-01T02:02:00Z");
  assert.deepEqual([again.failed, ways(again)], [2, { askedAfterFailure: 2 }]);
  // The log alone knows them, too.
  await rm(place.path("state"), { recursive: true });
  provider.broken.clear();
  const third = await night(place, provider, "2026-03-01T02:03:00Z");
  assert.deepEqual([third.new, third.unchanged, ways(third)], [1, 1, { askedAfterFailure: 2 }]);
  assert.deepEqual(ways(await night(place, provider, "2026-03-01T02:04:00Z")), {});
});

test("a failed one whom the list shows unchanged is asked again, too", async () => {
  const provider = new Provider();
  provider.can = { list: true, changes: false };
  await using place = await begun(provider, "a", "b");
  provider.broken.add("a");
  assert.equal((await night(place, provider, "2026-04-02T02:00:00Z")).failed, 1);
  provider.broken.clear();
  assert.deepEqual(ways(await night(place, provider, "2026-04-02T02:01:00Z")), { askedAfterFailure: 1 });
});

test("one who failed and then is not there leaves one entry, and is not asked again", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a");
  provider.broken.add("new");
  provider.changed = ["new"];
  await night(place, provider, "2026-03-01T02:01:00Z");
  provider.changed = [];
  provider.broken.clear();
  assert.equal((await night(place, provider, "2026-03-01T02:02:00Z")).failed, 1);
  assert.equal((await night(place, provider, "2026-03-01T08:03:00Z")).gone, 1);
  await rm(place.path("state"), { recursive: true });
  assert.deepEqual(ways(await night(place, provider, "2026-03-01T08:04:00Z")), {});
  assert.equal((await place.entries("record.gone")).length, 1);
});

test("someone on whom the provider still works is asked about each night, also on nights with a walk, while younger than resync", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b");
  provider.people.set("open", { updated: day(0), says: "in review", open: true });
  provider.changed = ["open"];
  await night(place, provider, "2026-03-01T02:01:00Z");
  provider.changed = [];
  for (const n of [1, 7, 8, 29]) {
    await night(place, provider, day(n));
    assert.deepEqual(
      provider.asked.filter((id) => id === "open"),
      ["open"],
      `day ${n}`,
    );
  }
  assert.equal((await night(place, provider, day(31))).askedWhileOpen, 0);
  provider.people.set("open", { updated: day(31), says: "in review again", open: true });
  provider.changed = ["open"];
  await night(place, provider, day(32));
  provider.changed = [];
  provider.people.set("open", { updated: day(32), says: "approved" });
  const end = await night(place, provider, day(33));
  assert.deepEqual([end.askedWhileOpen, end.changed], [1, 1]);
  assert.equal((await night(place, provider, day(34))).askedWhileOpen, 0);
});

test("of someone who is still open, a glance is enough while it shows the same, but not in their turn", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b");
  provider.people.set("open", { updated: day(0), says: "in review", open: true, glance: "waiting" });
  provider.changed = ["open"];
  await night(place, provider, "2026-03-01T02:01:00Z");
  provider.changed = [];
  const quiet = await night(place, provider, "2026-03-01T02:02:00Z");
  assert.deepEqual([provider.glanced, provider.asked], [["open"], []]);
  assert.deepEqual([ways(quiet), quiet.unchanged], [{ askedWhileOpen: 1 }, 1]);
  // The state only saves requests: without it, everything is asked for once.
  await rm(place.path("state"), { recursive: true });
  for (const asked of [["open"], []]) {
    await night(place, provider, "2026-03-01T02:03:00Z");
    assert.deepEqual(provider.asked, asked);
  }
  Object.assign(provider.people.get("open")!, { says: "done", glance: "ended" });
  const moved = await night(place, provider, "2026-03-01T02:04:00Z");
  assert.deepEqual([provider.glanced, provider.asked, moved.changed], [["open"], ["open"], 1]);
  // What a glance does not show is found in turn.
  Object.assign(provider.people.get("open")!, { says: "a document more" });
  await place.configure({ source: { resync: "P20D" } });
  const inTurn = await night(place, provider, day(20));
  assert.deepEqual([provider.glanced, inTurn.changed], [[], 1]);
  provider.people.delete("open");
  provider.saysGone = true;
  const last = await night(place, provider, "2026-03-21T02:01:00Z");
  assert.deepEqual([provider.glanced, provider.asked, last.gone], [["open"], [], 1]);
});

test("a redacted person is logged once, keeps the copy, and is not asked in turn", async () => {
  const provider = new Provider();
  await using place = await newPlace("full");
  provider.add("a");
  await night(place, provider, day(0));
  provider.people.set("a", { updated: day(1), says: "", redacted: true });
  provider.changed = ["a"];
  for (const n of [1, 2, 3]) assert.equal((await night(place, provider, day(n))).gone, 1);
  provider.changed = [];
  for (const n of [20, 51, 90]) assert.deepEqual(ways(await night(place, provider, day(n))), {});
  assert.deepEqual(
    (await place.entries("record.gone")).map(({ reason }) => reason),
    ["redacted"],
  );
  assert.equal((await place.entries("record.stored")).length, 1);
  // Named again with content: kept again.
  provider.people.set("a", { updated: day(91), says: "back" });
  provider.changed = ["a"];
  assert.equal((await night(place, provider, day(91))).changed, 1);
});

test("a source that cannot list: found by changes, asked in turn, exported by subject, and never gone by a walk", async () => {
  const provider = new Provider();
  provider.can = { list: false, changes: true };
  await using place = await newPlace();
  provider.add("a", "b", "c");
  provider.changed = ["a", "b", "c"];
  const first = await night(place, provider, day(0));
  assert.deepEqual([first.new, provider.since], [3, ["1970-01-01T00:00:00Z"]]);
  provider.changed = [];
  await rm(place.path("state"), { recursive: true });
  const subjects = new Set([await place.subject("b")]);
  const named = await night(place, provider, day(1), { selection: { kind: "subjects", subjects } });
  assert.deepEqual([named.again, ways(named), provider.asked], [1, { askedByName: 1 }, ["b"]]);
  provider.people.delete("c");
  const late = await night(place, provider, day(31));
  assert.deepEqual([late.askedInTurn, late.failed, late.gone, provider.walks], [3, 1, 0, 0]);
  const sure = await night(place, provider, day(32));
  assert.deepEqual([sure.askedAfterFailure, sure.failed, sure.gone], [1, 0, 1]);
  assert.equal((await place.entries("record.gone"))[0]!.reason, "deleted");
  // Those who are gone are asked in turn too: nothing else would show that they are not.
  assert.equal((await night(place, provider, day(63))).askedInTurn, 3);
});

test("withheld files of a source that cannot list are asked for by the roster", async () => {
  const provider = new Provider();
  provider.can = { list: false, changes: true };
  const options: NightOptions = { selection: { kind: "withheld" } };
  await using place = await newPlace();
  provider.add("a");
  provider.changed = ["a"];
  await night(place, provider, day(0));
  const summary = await night(place, provider, day(1), options);
  assert.deepEqual([summary.examined, summary.outcome, provider.walks], [0, "done", 0]);
});

test("what the provider still works on is asked for each night, however old the person is", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b");
  // A report on someone whom the provider changed last two months ago.
  Object.assign(provider.people.get("a")!, { says: "a new report is pending", open: true });
  provider.changed = ["a"];
  await night(place, provider, "2026-03-01T02:10:00Z");
  provider.changed = [];
  provider.people.get("a")!.says = "the report found something";
  const summary = await night(place, provider, "2026-03-01T02:20:00Z");
  assert.deepEqual([summary.askedWhileOpen, summary.changed], [1, 1]);
});

test("a closed id that does not open is warned of, and the others are asked about", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a", "b", "c");
  const [a, b] = [await place.subject("a"), await place.subject("b")];
  const db = new DatabaseSync(place.path("state", CLIENT, "catalog.sqlite"));
  const at = "WHERE person = (SELECT id FROM person WHERE subject = unhex(?))";
  db.prepare(`UPDATE subject SET handle = (SELECT handle FROM subject ${at}) ${at}`).run(b, a);
  db.close();
  provider.can = { list: false, changes: true };
  const summary = await night(place, provider, day(31));
  assert.deepEqual(provider.asked.toSorted(), ["b", "c"]);
  assert.equal(summary.outcome, "done");
  assert.equal(summary.said.length, 1);
  assert.match(summary.said[0]!, new RegExp(`cannot open this subject's provider id.*${a}`));
  // Named by its subject, it is found by the list, where there is one.
  const selection = { kind: "subjects", subjects: new Set([a]) } as const;
  assert.equal((await night(place, provider, day(32), { selection })).failed, 1);
  provider.can = { list: true, changes: true };
  assert.equal((await night(place, provider, day(32), { selection })).again, 1);
});

test("what the provider says again, as before the newest record, is stored again: the newest record is what it says", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a");
  provider.changed = ["a"];
  const outcomes = [];
  for (const [n, says] of ["something else", "at first", "at first"].entries()) {
    provider.people.get("a")!.says = says;
    const { changed, unchanged } = await night(place, provider, `2026-03-01T02:1${n}:00Z`);
    outcomes.push([changed, unchanged]);
  }
  assert.deepEqual(outcomes, [
    [1, 0],
    [1, 0],
    [0, 1],
  ]);
  const versions = (await place.entries("record.stored")).map(({ version }) => version);
  assert.deepEqual(versions, [versions[0], versions[1], versions[0]]);
  const now = () => Temporal.Instant.from("2026-03-01T03:00:00Z");
  const verified = await place.here("verify", ["--read-data", "100"], { now });
  assert.equal(verified.code, 0, verified.stderr);
});

test("someone who was redacted and has the same content again is looked at in turn, also after the state is lost", async () => {
  const provider = new Provider();
  await using place = await begun(provider, "a");
  const before = { ...provider.people.get("a")! };
  provider.changed = ["a"];
  provider.people.set("a", { ...before, says: "nothing", redacted: true });
  assert.equal((await night(place, provider, "2026-03-01T02:10:00Z")).gone, 1);
  provider.people.set("a", before);
  await night(place, provider, "2026-03-01T02:20:00Z");
  provider.changed = [];
  await rm(place.path("state"), { recursive: true });
  provider.can = { list: false, changes: true };
  const summary = await night(place, provider, day(60));
  assert.deepEqual([summary.askedInTurn, provider.asked], [1, ["a"]]);
});
