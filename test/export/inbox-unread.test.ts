import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { inboxFile } from "../../src/inbox/database.ts";
import { startSandbox } from "../sandbox/server.ts";
import { makeWorkplace } from "./workplace.ts";

test("a run that cannot read its inbox exports all others, ends with 3 and says what to do", async () => {
  await using sandbox = await startSandbox({ identities: 4, plainImages: true });
  await using place = await makeWorkplace(sandbox, {
    client: { source: { webhook: { secrets: ["file:./keys/hook"] } } },
  });
  await writeFile(place.path("keys", "hook"), "a-secret-of-webhooks-0123456789abcdef", { mode: 0o600 });
  const { state } = await place.client();
  await mkdir(state, { recursive: true });
  const inbox = inboxFile(state);
  await writeFile(inbox, "this is no SQLite file ".repeat(1_000));

  const planned = await place.here("export", ["--dry-run", "--json"]);
  assert.equal(planned.code, 3, planned.stderr);
  const [plan] = (planned.json as { plan: { new: number; inboxUnread?: true }[] }).plan;
  assert.deepEqual([plan!.new, plan!.inboxUnread], [4, true]);
  assert.match(planned.stderr, /could not read the inbox of 1 source, .* are not counted; all others are/);
  assert.equal((await place.here("export", ["--dry-run", "--identity", sandbox.ids()[0]!])).code, 0);

  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 3, ended.stderr);
  const [summary] = (ended.json as { clients: Summary[] }).clients;
  assert.deepEqual([summary!.new, summary!.failed, summary!.outcome, summary!.inboxUnread], [4, 0, "partial", true]);
  assert.match(ended.stderr, /move the file and those beside it.*"msg":"cannot read the inbox/);
  assert.match(ended.stderr, /could not read the inbox of 1 source, .* all others were/);
  const [finished] = await place.entries("run.finished");
  assert.deepEqual([finished!.outcome, finished!.round], ["partial", true]);
  const text = await place.here("export", [], { isTerminal: true });
  assert.match(text.stderr, /partly done/);
  assert.match(text.stderr, /webhooks +could not be read/);

  // A run for named people does not read it.
  assert.equal((await place.here("export", ["--identity", sandbox.ids()[0]!])).code, 0);

  await writeFile(inbox, "");
  assert.equal((await place.here("export")).code, 0);
});
