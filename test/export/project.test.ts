import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { startSandbox } from "../sandbox/server.ts";
import { night, Provider } from "./provider.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

const day = (n: number): string =>
  Temporal.Instant.from("2026-03-01T02:00:00Z")
    .add({ hours: 24 * n })
    .toString();
const nowhere = { url: "http://127.0.0.1:9", apiKey: "unused" };

/** A provider that lists everyone, whose people the vault has since day 0. */
async function begun(...ids: string[]): Promise<{ place: Workplace & AsyncDisposable; provider: Provider }> {
  const place = await makeWorkplace(nowhere, { client: { collect: "minimal" } });
  const provider = new Provider();
  provider.can = { list: true, changes: false };
  provider.add(...ids);
  await night(place, provider, day(0));
  return { place, provider };
}

test("another project of the provider: no one is gone because it does not list them, now or after the state is lost", async () => {
  await using one = await startSandbox({ identities: 6, files: false });
  await using other = await startSandbox({ identities: 5, seed: 2, files: false });
  await using place = await makeWorkplace(one);
  await place.export();
  await place.configure({ source: { url: other.url } });
  const first = await place.here("export");
  assert.equal(first.code, 0);
  assert.match(first.stderr, /another project of its provider; whom it does not list is not gone/);
  for (let n = 0; n < 3; n++) assert.deepEqual((await place.export()).gone, 0);
  await rm(place.path("state"), { recursive: true });
  for (let n = 0; n < 3; n++) assert.deepEqual((await place.export()).gone, 0);
  // By name neither.
  const [theirs] = one.ids();
  assert.equal((await place.here("export", ["--identity", theirs!])).code, 2);
  assert.equal((await place.here("export", ["--subject", await place.subject(theirs!)])).code, 3);
  assert.deepEqual(await place.entries("record.gone"), []);
  assert.deepEqual(await place.entries("record.failed"), []);
  const changed = await place.entries("source.changed");
  assert.deepEqual(
    changed.map(({ source, kind }) => [source, kind]),
    [
      ["passbase", "passbase"],
      ["passbase", "passbase"],
    ],
  );
  assert.equal(new Set(changed.map(({ project }) => project)).size, 2);
  // The first one is back, and knows its own.
  one.vanish([2]);
  await place.configure({ source: { url: one.url } });
  assert.deepEqual([(await place.export()).gone, (await place.export()).gone], [0, 1]);
  assert.deepEqual(
    (await place.entries("record.gone")).map(({ subject }) => subject),
    [await place.subject(one.identity(2).id)],
  );
  await place.expect(0, "verify", "--read-data", "100");
});

test("a source is logged when it is new, and not again while its project stays", async () => {
  const { place, provider } = await begun("a");
  await using _ = place;
  for (const n of [1, 2]) await night(place, provider, day(n));
  await rm(place.path("state"), { recursive: true });
  await night(place, provider, day(3));
  assert.equal((await place.entries("source.changed")).length, 1);
});

test("a source of another kind under the same name: no one is gone, and no one of the other is asked about", async () => {
  const { place, provider } = await begun("a", "b");
  await using _ = place;
  provider.broken.add("b");
  assert.equal((await night(place, provider, day(31))).failed, 1);
  const other = new Provider();
  other.kind = "persona";
  other.add("c");
  for (const n of [32, 33, 34, 100, 140]) {
    const { gone, failed, said } = await night(place, other, day(n));
    assert.deepEqual([gone, failed, said.length], [0, 0, n === 32 ? 1 : 0]);
    assert.deepEqual(new Set(other.asked).difference(new Set(["c"])), new Set());
  }
  assert.deepEqual(await place.entries("record.gone"), []);
});

test("a source that got another name keeps its people: only who is gone is gone", async () => {
  const { place, provider } = await begun("a", "b");
  await using _ = place;
  provider.people.delete("a");
  const gone = [];
  for (const n of [1, 2])
    gone.push((await night(place, provider, day(n), { source: "renamed", isRenamed: true })).gone);
  assert.equal(gone[0]! + gone[1]!, 1);
  assert.deepEqual(
    (await place.entries("record.gone")).map(({ subject }) => subject),
    [await place.subject("a")],
  );
  const subjects = new Set([await place.subject("b")]);
  const named = await night(place, provider, day(3), {
    ...{ source: "renamed", isRenamed: true },
    selection: { kind: "subjects", subjects },
  });
  assert.deepEqual([named.again, provider.asked], [1, ["b"]]);
});

test("two sources of one project are refused: each would take the other's people for gone", async () => {
  const { place, provider } = await begun("a", "b");
  await using _ = place;
  await assert.rejects(night(place, provider, day(1), { source: "twin" }), {
    code: "config",
    message: "the sources main and twin are of one project of their provider",
  });
});

test("two sources in one vault: neither says that the other's people are gone, and each is asked for its own subjects", async () => {
  const { place, provider } = await begun("a", "b");
  await using _ = place;
  const second = new Provider();
  Object.assign(second, { kind: "persona", name: "another", can: { list: true, changes: true } });
  second.add("c");
  for (const n of [1, 2, 3, 40]) {
    assert.equal((await night(place, second, day(n), { source: "second" })).gone, 0);
    assert.equal((await night(place, provider, day(n))).gone, 0);
  }
  assert.deepEqual(second.asked, ["c"]);
  const subjects = new Set([await place.subject("a")]);
  const elsewhere = await night(place, second, day(41), {
    source: "second",
    selection: { kind: "subjects", subjects },
  });
  assert.deepEqual([elsewhere.failed, elsewhere.examined, second.asked], [0, 0, []]);
  const own = await night(place, provider, day(41), { selection: { kind: "subjects", subjects } });
  assert.deepEqual([own.failed, own.again, provider.asked], [0, 1, ["a"]]);
});
