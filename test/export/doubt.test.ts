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
  assert.equal((await night(place, provider, at(30))).gone, 1);
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
