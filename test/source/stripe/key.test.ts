import assert from "node:assert/strict";
import { test } from "node:test";
import { RIGHTS } from "../../sandbox/stripe/key.ts";
import { open, reported, watch } from "./connect.ts";

const outcomes = async (source: { checks(): Promise<readonly { outcome: string; message: string }[]> }) =>
  (await source.checks()).map(({ outcome, message }) => `${outcome}: ${message}`).join("\n");

test("doctor's checks tell all from recent sensitive results by a session older than 48 hours", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  assert.match(await outcomes(source), /^ok: the key may see sensitive results of any age/);
  const [index] = sandbox.add(1);
  sandbox.change([index!], { part: "attempt" });
  for (const unseen of [403, 400, "left out"] as const) {
    sandbox.restrict({ ...RIGHTS, sensitive: "recent", unseen });
    assert.match(await outcomes(source), /^warning: the key sees sensitive results for 48 hours only/);
    sandbox.restrict({ ...RIGHTS, sensitive: "none", unseen });
    assert.match(
      await outcomes(source),
      /^warning: the key may not see sensitive results: every record will lack date/,
    );
  }
  sandbox.restrict({ ...RIGHTS, allowList: false });
  assert.match(await outcomes(source), /^warning: the key sees sensitive results for 48 hours only/);
});

test("the checks say how files are read, and make no link", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  assert.match(await outcomes(source), /ok: the key may read pictures itself/);
  sandbox.restrict({ contents: false });
  assert.match(
    await outcomes(source),
    /ok: the key reads pictures by links that open for 30 seconds \(POST \/file_links/,
  );
  assert.equal(sandbox.requests.of("file_links", 200), 0);
  sandbox.restrict({ files: "read" });
  assert.match(await outcomes(source), /warning: the key may neither read pictures nor make links/);
  sandbox.restrict({ events: false });
  assert.match(await outcomes(source), /warning: the key may not list events: each night lists all sessions instead/);
});

test("an account without sessions leaves the rights unknown", async (t) => {
  const { source } = await open(t, { identities: 0 });
  const found = await source.checks();
  assert.deepEqual(
    found.map(({ outcome }) => outcome),
    ["unknown", "unknown", "ok"],
  );
});

test("a key that may not read its account is known by the account in the config, and refused without one", async (t) => {
  const { sandbox, source } = await open(t);
  const usual = await source.project();
  assert.deepEqual([usual.environment, usual.id], ["sandbox", `${sandbox.account} test`]);
  sandbox.restrict({ account: false });
  await assert.rejects(source.project(), { code: "source-key", hint: /source\.account/ });
  const { sandbox: other, source: named } = await open(t, {}, { account: sandbox.account });
  other.restrict({ account: false });
  assert.equal((await named.project()).id, usual.id);
  other.restrict({ sessions: false });
  await assert.rejects(named.project(), { code: "source-key", hint: /IP allow-list/ });
});

test("a change is asked for an hour earlier, and not at all once Stripe may have dropped events", async (t) => {
  const { sandbox, source, clock } = await open(t);
  const paths = watch(sandbox);
  const changed = async (daysAgo: number) => {
    const ids = [];
    for await (const changes of source.changes(
      Temporal.Instant.fromEpochMilliseconds(clock.now - daysAgo * 86_400_000),
    ))
      ids.push(...changes.map(({ id }) => id));
    return ids;
  };
  const index = reported(sandbox);
  sandbox.change([index]);
  assert.deepEqual(await changed(0), [sandbox.ids()[index]]);
  assert.ok(paths[0]!.includes(`created[gte]=${Math.floor(clock.now / 1000) - 3600}`));
  clock.now += 60_000;
  assert.deepEqual(await changed(28), [sandbox.ids()[index]]);
  await assert.rejects(changed(29), { code: "source-denied" });
});
