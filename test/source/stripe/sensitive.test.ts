import assert from "node:assert/strict";
import { test } from "node:test";
import { RIGHTS } from "../../sandbox/stripe/key.ts";
import { full, open, watch } from "./connect.ts";

const HOUR = 3_600_000;

/** How many requests for these sessions, and how many of their dossiers have all sensitive results. */
async function read({ sandbox, source }: Awaited<ReturnType<typeof open>>, ids: readonly string[]) {
  const before = source.requests;
  let whole = 0;
  for (const id of ids) whole += Number((await source.dossier(id, full)).gaps.length === 0);
  return { requests: source.requests - before, whole, seen: sandbox.requests };
}

test("a key without sensitive rights is refused once and not for each session, whatever the refusal looks like", async (t) => {
  for (const unseen of [403, 400] as const) {
    const opened = await open(t, { identities: 40 });
    opened.sandbox.restrict({ ...RIGHTS, sensitive: "none", unseen });
    const ids = opened.sandbox.ids();
    const { requests } = await read(opened, ids);
    // A session and its reports; the first is asked for twice.
    assert.equal(requests, 2 * ids.length + 1);
  }
});

test("a key that sees recent sessions only gets all of them, though old ones were refused", async (t) => {
  const opened = await open(t, { identities: 20 });
  const { sandbox } = opened;
  sandbox.restrict({ ...RIGHTS, sensitive: "recent" });
  const old = sandbox.ids();
  await read(opened, old);
  const recent = sandbox.add(4);
  sandbox.change(recent, { part: "attempt" });
  const ids = sandbox.ids();
  const { whole } = await read(
    opened,
    recent.map((index) => ids[index]!),
  );
  assert.equal(whole, 4);
});

test("a right that is granted during a run is found within fifty sessions", async (t) => {
  const opened = await open(t, { identities: 120 });
  const { sandbox, clock } = opened;
  clock.now += 72 * HOUR;
  sandbox.restrict({ ...RIGHTS, sensitive: "none" });
  const ids = sandbox.ids();
  await read(opened, ids.slice(0, 10));
  sandbox.restrict(RIGHTS);
  const { whole } = await read(opened, ids.slice(10));
  assert.ok(whole >= 60, `${whole}`);
  const paths = watch(sandbox);
  await opened.source.dossier(ids[0]!, full);
  assert.match(paths[0]!, /verified_outputs\.dob/);
});
