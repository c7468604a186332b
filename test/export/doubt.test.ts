import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { night, Provider } from "./provider.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

const at = (hours: number): string => Temporal.Instant.from("2026-03-01T02:00:00Z").add({ hours }).toString();

/** A provider that is walked each night, and a vault with these people. */
async function begun(changes: boolean, ...ids: string[]): Promise<[Provider, Workplace & AsyncDisposable]> {
  const provider = new Provider();
  provider.can = { list: true, changes };
  const place = await makeWorkplace(
    { url: "http://127.0.0.1:9", apiKey: "unused" },
    { client: { collect: "minimal" }, lookupKey: "5e".repeat(32) },
  );
  provider.add(...ids);
  assert.equal((await night(place, provider, at(0))).new, ids.length);
  return [provider, place];
}

/** The list shows that something changed, so the provider is asked. */
function change(provider: Provider, id: string): void {
  provider.people.get(id)!.says += " and more";
}

const reasons = async (place: Workplace) => (await place.entries("record.gone")).map(({ reason }) => reason);

test("someone whom the list shows and who is not found once is a failure, and is stored by the next run", async () => {
  const [provider, place] = await begun(false, "a", "b");
  await using _ = place;
  change(provider, "a");
  provider.notFound.add("a");
  const first = await night(place, provider, at(24));
  assert.deepEqual([first.failed, first.gone, first.outcome], [1, 0, "partial"]);
  assert.deepEqual(
    (await place.entries("record.failed")).map(({ stage, code }) => [stage, code]),
    [["source", "source-missing"]],
  );
  provider.notFound.clear();
  const second = await night(place, provider, at(48));
  assert.deepEqual([second.changed, second.failed, second.outcome], [1, 0, "done"]);
  assert.deepEqual(await reasons(place), []);
});

test("someone who is not found on two nights is gone, said once, and back when the provider answers", async () => {
  const [provider, place] = await begun(false, "a", "b");
  await using _ = place;
  change(provider, "a");
  provider.notFound.add("a");
  await night(place, provider, at(24));
  // The log alone remembers the first night.
  await rm(place.path("state"), { recursive: true });
  const second = await night(place, provider, at(48));
  assert.deepEqual([second.failed, second.gone], [0, 1]);
  for (const hours of [72, 96]) assert.equal((await night(place, provider, at(hours))).failed, 0);
  assert.deepEqual(await reasons(place), ["deleted"]);
  provider.notFound.clear();
  assert.equal((await night(place, provider, at(120))).changed, 1);
  change(provider, "a");
  provider.notFound.add("a");
  const later = await night(place, provider, at(144));
  assert.deepEqual([later.failed, later.gone], [1, 0]);
});

test("runs of the same hours count as one night", async () => {
  const [provider, place] = await begun(false, "a");
  await using _ = place;
  change(provider, "a");
  provider.notFound.add("a");
  for (const hours of [24, 25, 29]) assert.equal((await night(place, provider, at(hours))).failed, 1);
  // The first failure was logged a moment after its run began.
  const later = Temporal.Instant.from(at(30)).add({ minutes: 1 }).toString();
  assert.equal((await night(place, provider, later)).gone, 1);
});

test("that someone is gone counts at once where the provider says so (410)", async () => {
  const [provider, place] = await begun(false, "a");
  await using _ = place;
  change(provider, "a");
  provider.notFound.add("a");
  provider.saysGone = true;
  assert.equal((await night(place, provider, at(24))).gone, 1);
  assert.deepEqual(await reasons(place), ["deleted"]);
});

test("someone of whom there is no copy stays a failure while the list shows them", async () => {
  const [provider, place] = await begun(false, "a");
  await using _ = place;
  provider.add("new");
  provider.notFound.add("new");
  for (const hours of [24, 48, 72]) assert.equal((await night(place, provider, at(hours))).failed, 1);
  provider.people.delete("new");
  const last = await night(place, provider, at(96));
  assert.deepEqual([last.failed, last.gone], [0, 1]);
});

test("someone whom the list does not show and who is not found is gone in the same run", async () => {
  const [provider, place] = await begun(false, "a", "b");
  await using _ = place;
  Object.assign(provider.people.get("a")!, { open: true });
  change(provider, "a");
  await night(place, provider, at(24));
  provider.people.delete("a");
  const summary = await night(place, provider, at(48));
  assert.deepEqual([summary.askedWhileOpen, summary.failed, summary.gone], [1, 0, 1]);
  assert.deepEqual(await reasons(place), ["deleted"]);
});

test("on a night without a walk, someone who is not found is a failure first", async () => {
  const [provider, place] = await begun(true, "a", "b");
  await using _ = place;
  provider.changed = ["a"];
  provider.notFound.add("a");
  assert.equal((await night(place, provider, at(24))).failed, 1);
  provider.changed = [];
  const second = await night(place, provider, at(48));
  assert.deepEqual([second.askedAfterFailure, second.failed, second.gone], [1, 0, 1]);
});

/** A provider without a list, and a vault with these people. */
async function unlisted(...ids: string[]): Promise<[Provider, Workplace & AsyncDisposable]> {
  const [provider, place] = await begun(true, ...ids);
  provider.can = { list: false, changes: true };
  return [provider, place];
}

test("without a list, a 404 to everyone is a failure of each, and nothing is said of them once it is over", async () => {
  const [provider, place] = await unlisted("a", "b", "c");
  await using _ = place;
  provider.changed = ["a"];
  for (const id of ["a", "b", "c"]) provider.notFound.add(id);
  // Everyone's turn has come.
  const wrong = await night(place, provider, at(24 * 40));
  assert.deepEqual([wrong.failed, wrong.gone, wrong.outcome], [3, 0, "partial"]);
  assert.match(JSON.stringify(wrong.said), /source-missing/);
  provider.notFound.clear();
  provider.changed = [];
  const right = await night(place, provider, at(24 * 41));
  assert.deepEqual([right.askedAfterFailure, right.unchanged, right.failed, right.outcome], [3, 3, 0, "done"]);
  assert.deepEqual(await reasons(place), []);
});

test("without a list, someone who is not found on two nights is gone; the one who names them in the first is told of a failure too", async () => {
  const [provider, place] = await unlisted("a", "b");
  await using _ = place;
  provider.notFound.add("a");
  const named = await night(place, provider, at(24), { identities: ["a"] });
  assert.deepEqual([named.failed, named.gone], [1, 0]);
  assert.equal((await night(place, provider, at(25))).gone, 0);
  assert.equal((await night(place, provider, at(31))).gone, 1);
  assert.deepEqual(await reasons(place), ["deleted"]);
});

test("without a list, 410 and an age beyond what the provider lets be read are said at once", async () => {
  const [provider, place] = await unlisted("a", "b");
  await using _ = place;
  provider.changed = ["a"];
  provider.notFound.add("a").add("b");
  provider.saysGone = true;
  assert.equal((await night(place, provider, at(24))).gone, 1);
  provider.saysGone = false;
  provider.changed = ["b"];
  // Both changed 59 days before the first night.
  const horizon = Temporal.Duration.from({ days: 70 });
  const young = await night(place, provider, at(24 * 10), { horizon });
  assert.deepEqual([young.failed, await reasons(place)], [1, ["deleted"]]);
  const old = await night(place, provider, at(24 * 11), { horizon });
  assert.deepEqual([old.failed, await reasons(place)], [0, ["deleted", "deleted"]]);
});

test("an age beyond what the provider lets be read needs no second night", async () => {
  const [provider, place] = await unlisted("a");
  await using _ = place;
  provider.changed = ["a"];
  provider.notFound.add("a");
  const { failed, gone } = await night(place, provider, at(24), { horizon: Temporal.Duration.from({ days: 30 }) });
  assert.deepEqual([failed, gone], [0, 1]);
});

test("without a list, someone who was called gone is asked about in turn and is back, also after the state is lost", async () => {
  const [provider, place] = await unlisted("a", "b");
  await using _ = place;
  provider.changed = ["a"];
  provider.notFound.add("a");
  provider.saysGone = true;
  assert.equal((await night(place, provider, at(24))).gone, 1);
  provider.changed = [];
  await rm(place.path("state"), { recursive: true });
  const still = await night(place, provider, at(24 * 60));
  assert.deepEqual([provider.asked.toSorted(), still.askedInTurn, still.gone, still.failed], [["a", "b"], 2, 1, 0]);
  assert.deepEqual(await reasons(place), ["deleted"]);
  provider.notFound.clear();
  const back = await night(place, provider, at(24 * 120));
  assert.deepEqual([back.unchanged, back.gone], [2, 0]);
  provider.notFound.add("a");
  provider.saysGone = false;
  assert.equal((await night(place, provider, at(24 * 180))).failed, 1);
  // Beyond what it lets be read, no one who is gone is asked about.
  await night(place, provider, at(24 * 181));
  await night(place, provider, at(24 * 260), { horizon: Temporal.Duration.from({ days: 90 }) });
  assert.deepEqual(provider.asked, ["b"]);
});
