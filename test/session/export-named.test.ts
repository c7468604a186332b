import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { webhookSources } from "../../src/config/sources.ts";
import { Inbox } from "../../src/inbox/inbox.ts";
import { handlesOf } from "../../src/session/client.ts";
import { NamedExport } from "../../src/session/export-named.ts";
import { silentConsole } from "../export/here.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("a run at once asks about those whom no run has tried, about no one if another took them, and does not repeat warnings", async () => {
  await using sandbox = await startSandbox({ identities: 4, files: false });
  await using place = await makeWorkplace(sandbox, {
    client: { source: { webhook: { secrets: ["file:./keys/hook"] } } },
  });
  await writeFile(place.path("keys/hook"), "0123456789abcdef0123456789abcdef", { mode: 0o600 });
  const client = await place.client();
  const [source] = webhookSources(client);
  const inbox = new Inbox(client.state);
  const arrive = async (index: number): Promise<number> => {
    const { id } = sandbox.identity(index);
    const subject = await place.subject(id);
    const handle = (await handlesOf(client)).close(subject, "passbase", id);
    const key = Buffer.from(`event ${index}`);
    const of = { source: source!.name, key, kind: "k", isErasure: false, named: [{ subject, handle }] };
    assert.deepEqual(inbox.append([of], Temporal.Now.instant()), ["taken"]);
    return inbox.newest().get(source!.name)!;
  };
  // A warning of each run.
  await chmod(place.path("keys/log"), 0o644);
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const console = { ...silentConsole, log: { ...silentConsole.log, warn } };
  const named = new NamedExport();
  const run = (untriedAfter: number) =>
    named.run(
      { client, source: source!, untriedAfter },
      {
        ...{ clients: [client], console, signal: new AbortController().signal },
        now: Temporal.Now.instant,
      },
      assert.fail,
    );
  const before = await arrive(0);
  inbox.retry(source!.name, await place.subject(sandbox.identity(0).id), before);
  const done = await arrive(1);
  await arrive(2);
  const summary = await run(done);
  assert.deepEqual([summary!.askedByInbox, summary!.new, summary!.outcome], [1, 1, "done"]);
  assert.deepEqual([...(await place.stored()).keys()], [await place.subject(sandbox.identity(2).id)]);
  const [requests, entries] = [sandbox.requests.of("identity"), (await place.entries()).length];
  assert.equal(await run(done), undefined);
  assert.deepEqual([sandbox.requests.of("identity"), (await place.entries()).length], [requests, entries]);
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.match(warnings[0]!, /keys\/log/);
  inbox.close();
});
