import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type Arrival, Inbox } from "../../src/inbox/inbox.ts";
import { handlesOf } from "../../src/session/client.ts";
import { night, Provider } from "./provider.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

const day = (n: number, hour = 2): string =>
  Temporal.Instant.from("2026-03-01T00:00:00Z")
    .add({ hours: 24 * n + hour })
    .toString();

/** A provider that lists everyone, whose people the vault has since day 0, and an inbox. */
async function begun(provider: Provider, ...ids: string[]) {
  const place = await makeWorkplace(
    { url: "http://127.0.0.1:9", apiKey: "unused" },
    { client: { collect: "minimal" } },
  );
  provider.add(...ids);
  await night(place, provider, day(0));
  const inbox = new Inbox((await place.client()).state);
  return { place, inbox };
}

let sent = 0;
async function arrival(place: Workplace, id: string, { isErasure = false } = {}): Promise<Arrival> {
  const subject = await place.subject(id);
  const handle = (await handlesOf(await place.client())).close(subject, "passbase", id);
  const key = createHash("sha256").update(`event ${++sent}`).digest();
  return { source: "main", key, kind: "changed", isErasure, named: [{ subject, handle }] };
}

async function event(place: Workplace, inbox: Inbox, id: string, at: string, of = {}): Promise<void> {
  assert.deepEqual(inbox.append([await arrival(place, id, of)], Temporal.Instant.from(at)), ["taken"]);
}

const log = async (place: Workplace) => (await place.entries("run.finished")).at(-1)!;

test("whom a webhook names is asked about first and once, and the log says that nothing lies unread", async () => {
  const provider = new Provider();
  provider.can = { list: true, changes: false };
  const { place, inbox } = await begun(provider, "a", "b", "c");
  await using _ = place;
  provider.people.get("c")!.says = "something else";
  provider.add("new");
  for (const id of ["c", "new", "c", "c"]) await event(place, inbox, id, day(0, 10));
  const summary = await night(place, provider, day(1), { inbox });
  assert.deepEqual(provider.asked.slice(0, 2).toSorted(), ["c", "new"]);
  assert.equal(provider.asked.filter((id) => id === "c").length, 1);
  assert.deepEqual([summary.askedByInbox, summary.changed, summary.new, summary.outcome], [2, 1, 1, "done"]);
  // Each is counted once, also who is in the list too.
  assert.deepEqual([provider.walks, summary.examined, summary.unchanged], [2, 4, 2]);
  assert.deepEqual((await log(place)).inbox, { taken: 4, settled: 4, pending: 0 });
  const next = await night(place, provider, day(2), { inbox });
  assert.deepEqual([next.askedByInbox, (await log(place)).inbox], [0, { taken: 0, settled: 0, pending: 0 }]);
  inbox.close();
});

test("an event stays while its person fails, and so does one that arrives during the run", async () => {
  const provider = new Provider();
  const { place, inbox } = await begun(provider, "a", "b");
  await using _ = place;
  await event(place, inbox, "a", day(0, 10));
  await event(place, inbox, "b", day(0, 11));
  provider.broken.add("a");
  const late = await arrival(place, "b");
  provider.onAsked = (id) => {
    if (id === "b") inbox.append([late], Temporal.Instant.from(day(1)));
  };
  await night(place, provider, day(1), { inbox });
  provider.onAsked = () => {};
  const { oldest, ...counts } = (await log(place)).inbox!;
  assert.deepEqual(counts, { taken: 2, settled: 1, pending: 2 });
  assert.equal(Temporal.Instant.from(oldest!).toString(), day(0, 10));
  const tries = [...inbox.pending("main", 1_000, () => assert.fail())].map((each) => each.tries).toSorted();
  assert.deepEqual(tries, [0, 1]);
  provider.broken.clear();
  await night(place, provider, day(2), { inbox });
  assert.deepEqual((await log(place)).inbox, { taken: 2, settled: 2, pending: 0 });
  inbox.close();
});

test("someone whom the provider does not know yet is asked for again for two days, and then is no one", async () => {
  const provider = new Provider();
  const { place, inbox } = await begun(provider, "a");
  await using _ = place;
  await event(place, inbox, "soon", day(0, 23));
  await event(place, inbox, "never", day(0, 23));
  const first = await night(place, provider, day(1), { inbox });
  assert.deepEqual([first.early, first.gone, first.failed, first.outcome], [2, 0, 0, "done"]);
  assert.equal((await log(place)).inbox!.pending, 2);
  provider.add("soon");
  const second = await night(place, provider, day(2), { inbox });
  assert.deepEqual([second.new, second.early], [1, 1]);
  const third = await night(place, provider, day(3), { inbox });
  assert.deepEqual([third.early, third.gone, (await log(place)).inbox!.pending], [0, 1, 0]);
  assert.deepEqual(await place.entries("record.gone"), []);
  inbox.close();
});

test("an erasure deletes nothing here, and the log says when the provider told of it", async () => {
  const provider = new Provider();
  const { place, inbox } = await begun(provider, "a", "b");
  await using _ = place;
  await event(place, inbox, "a", day(0, 10), { isErasure: true });
  await event(place, inbox, "b", day(0, 10), { isErasure: true });
  provider.people.delete("a");
  Object.assign(provider.people.get("b")!, { redacted: true, says: "" });
  const summary = await night(place, provider, day(1), { inbox });
  assert.equal(summary.gone, 2);
  const gone = await place.entries("record.gone");
  assert.deepEqual(gone.map(({ reason }) => reason).toSorted(), ["deleted", "redacted"]);
  for (const { told } of gone) assert.equal(Temporal.Instant.from(told!).toString(), day(0, 10));
  assert.equal((await place.stored()).size, 2);
  inbox.close();
});

test("what Holdfast did not write into the inbox is removed with a warning, and harms no one", async () => {
  const provider = new Provider();
  const { place, inbox } = await begun(provider, "a", "b");
  await using _ = place;
  await event(place, inbox, "a", day(0, 10));
  const [subject, other] = [await place.subject("a"), await place.subject("b")];
  const handle = (await handlesOf(await place.client())).close(subject, "passbase", "a");
  const db = new DatabaseSync(inbox.path);
  const add = db.prepare(
    "INSERT INTO event (source, subject, handle, kind, at, erasure) VALUES ('main', ?, ?, 'k', ?, 0)",
  );
  // A time that never was, and what is no row of ours.
  add.run(subject, handle, "2026-02-30T00:00:00Z");
  add.run("../etc", handle, day(0));
  // Another person's closed id: it may be a wrong key, so it stays.
  add.run(other, handle, day(0));
  db.close();
  const summary = await night(place, provider, day(1), { inbox });
  assert.deepEqual([summary.askedByInbox, summary.failed, summary.outcome], [1, 0, "done"]);
  const { oldest: _oldest, ...counts } = (await log(place)).inbox!;
  assert.deepEqual(counts, { taken: 4, settled: 1, dropped: 2, pending: 1 });
  assert.deepEqual(summary.said.filter((line) => line.includes("inbox")).length, 2);
  inbox.close();
});

test("events under another lookup key are told once a run, keep no one else back, and are removed after a month", async () => {
  const provider = new Provider();
  const { place, inbox } = await begun(provider, "a", "b");
  await using _ = place;
  const lookup = (await place.client()).lookups.key.path!;
  const right = await readFile(lookup, "utf8");
  await writeFile(
    lookup,
    right.replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
  );
  for (const id of ["a", "b", "b"]) await event(place, inbox, id, day(0, 10));
  await writeFile(lookup, right);
  for (const n of [1, 30]) {
    const { said, askedByInbox } = await night(place, provider, day(n), { inbox });
    assert.deepEqual([askedByInbox, (await log(place)).inbox!.pending], [0, 3]);
    const [told = "", ...more] = said.filter((line) => line.includes("inbox"));
    assert.match(told, /closed ids do not open.*"count":3.*"oldest":"2026-03-01T10:00.*Put it back/);
    assert.deepEqual(more, []);
  }
  // One more under the right key is not kept back by them.
  await event(place, inbox, "a", day(30, 10));
  const last = await night(place, provider, day(31), { inbox });
  assert.equal(last.askedByInbox, 1);
  assert.deepEqual((await log(place)).inbox, { taken: 4, settled: 1, dropped: 3, pending: 0 });
  assert.match(last.said.filter((line) => line.includes("inbox")).join(), /removed from the inbox.*"count":3/);
  const quiet = await night(place, provider, day(32), { inbox });
  assert.deepEqual(
    quiet.said.filter((line) => line.includes("inbox")),
    [],
  );
  inbox.close();
});

test("a run for those whom webhooks name asks about no one else, and does not count as the night's", async () => {
  const provider = new Provider();
  const { place, inbox } = await begun(provider, "a", "b");
  await using _ = place;
  await event(place, inbox, "a", day(0, 10));
  const before = provider.walks;
  await night(place, provider, day(0, 11), { inbox, selection: { kind: "inbox" } });
  assert.deepEqual([provider.asked, provider.walks], [["a"], before]);
  assert.deepEqual([(await log(place)).round, (await log(place)).inbox!.settled], [undefined, 1]);
  inbox.close();
});
