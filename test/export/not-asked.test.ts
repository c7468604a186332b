import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { limitsPath } from "../../src/session/source-limits.ts";
import { fieldsOf } from "../../src/viewer/fields.ts";
import { lackingIn, rowsOf } from "../../src/viewer/rows.ts";
import { ask } from "../retention/place.ts";
import { startSumsub } from "../sandbox/sumsub/server.ts";
import { reviewOf } from "../source/sumsub/connect.ts";
import { makeWorkplace } from "./workplace.ts";

const AML = "GET /resources/api/applicants/{applicantId}/amlCase";

test("aml: false alone makes no new version; the next change has a record that says what was not asked for", async () => {
  await using sumsub = await startSumsub({ identities: 12, plainImages: true });
  const index = sumsub.ids().findIndex((_, at) => reviewOf(sumsub, at).reviewStatus === "completed");
  const source = { kind: "sumsub", appToken: sumsub.appToken, resync: "P100Y" };
  await using place = await makeWorkplace(sumsub, { client: { source } });
  const run = async (aml: boolean) => {
    await place.configure({ source: { aml } });
    // Eight AML cases a minute: each run begins a minute of its own.
    await rm(limitsPath(await place.client(), "sumsub"), { force: true });
    const before = sumsub.requests.of("api/applicants/…/amlCase");
    const { new: fresh, changed, unchanged } = await place.export("--identity", sumsub.id(index));
    return { fresh, changed, unchanged, cases: sumsub.requests.of("api/applicants/…/amlCase") - before };
  };
  sumsub.change([index], { part: "aml" });
  assert.deepEqual(await run(true), { fresh: 1, changed: 0, unchanged: 0, cases: 1 });
  assert.deepEqual(await run(false), { fresh: 0, changed: 0, unchanged: 1, cases: 0 });
  // The state can be made again from the log.
  await rm(place.path("state"), { recursive: true });
  assert.deepEqual(await run(false), { fresh: 0, changed: 0, unchanged: 1, cases: 0 });
  assert.deepEqual(await run(true), { fresh: 0, changed: 0, unchanged: 1, cases: 1 });
  sumsub.change([index]);
  assert.deepEqual(await run(false), { fresh: 0, changed: 1, unchanged: 0, cases: 0 });

  const [older, newer] = await place.entries("record.stored");
  const [was, is] = [await place.record(older!), await place.record(newer!)];
  assert.deepEqual([was.notAsked, is.notAsked, is.gaps], [undefined, [AML], undefined]);
  const rows = rowsOf(fieldsOf(is), fieldsOf(was), { now: lackingIn({ ...is }), before: lackingIn({ ...was }) });
  const lost = rows.filter(({ group }) => group.heading === "AML case" || group.heading === "Watchlist");
  assert.ok(lost.some(({ group }) => group.heading === "AML case"));
  for (const row of lost) assert.deepEqual([row.change, row.is, row.absent], [null, undefined, "not asked"]);

  // The newest version lacks the case, so it is fetched.
  assert.deepEqual(await run(true), { fresh: 0, changed: 1, unchanged: 0, cases: 1 });
});

for (const before of [true, false]) {
  test(`aml: ${before}, and the other way round after a purge: no one comes back by that`, async () => {
    await using sumsub = await startSumsub({ identities: 12, plainImages: true });
    const index = sumsub.ids().findIndex((_, at) => reviewOf(sumsub, at).reviewStatus === "completed");
    sumsub.change([index], { part: "aml" });
    const source = { kind: "sumsub", appToken: sumsub.appToken, resync: "P100Y", aml: before };
    const retention = { keep: "PT2S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };
    await using place = await makeWorkplace(sumsub, { client: { source, retention } });
    const run = async (aml: boolean) => {
      await place.configure({ source: { aml } });
      await rm(limitsPath(await place.client(), "sumsub"), { force: true });
      const { new: fresh, past } = await place.export("--identity", sumsub.id(index));
      return { fresh, past };
    };
    assert.deepEqual(await run(before), { fresh: 1, past: 0 });
    await delay(3_000);
    await ask(place, 0, "retention", "purge", "--confirm", "--out", place.path("destroyed"));
    assert.deepEqual(
      (await place.entries("record.purged")).map(({ whole }) => whole),
      [true],
    );
    // What the law requires from now on says nothing of who was destroyed before.
    await place.configure({
      retention: { keep: "P5Y", from: "exported", initialLock: "PT1H", extendWhenLessThan: "PT30M" },
    });
    assert.deepEqual(await run(before), { fresh: 0, past: 1 });
    assert.deepEqual(await run(!before), { fresh: 0, past: 1 });
    await rm(place.path("state"), { recursive: true });
    assert.deepEqual(await run(!before), { fresh: 0, past: 1 }, "by the log alone");
    // A change at the provider is one, as ever.
    sumsub.change([index]);
    assert.deepEqual(await run(!before), { fresh: 1, past: 0 });
  });
}

test("a minimal version beside a full one is not collected, not removed", () => {
  const record = { source: { kind: "passbase" }, fetched: "2026-01-02T03:04:05Z", legalBasis: [], identity: {} };
  const [full, minimal] = [
    { ...record, collect: "full", identity: { owner: { firstName: "Ada" } } },
    { ...record, collect: "minimal", identity: { verified: true } },
  ];
  const rows = rowsOf(fieldsOf(minimal as never), fieldsOf(full as never), {
    now: lackingIn(minimal),
    before: lackingIn(full),
  });
  const name = rows.find(({ label }) => label === "Given name");
  assert.deepEqual([name?.was, name?.change, name?.absent], ["Ada", null, "not collected"]);
});
