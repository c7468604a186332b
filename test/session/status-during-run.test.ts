import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { test } from "node:test";
import type { ClientStatus } from "../../src/session/status.ts";
import { CLIENT, makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("status during an export reads this machine's catalog, and not the whole log", async () => {
  await using sandbox = await startSandbox({ identities: 4, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const [before] = await place.expect<ClientStatus>(0, "status");
  sandbox.change([0, 1, 2, 3]);
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const { promise: stored, resolve: areStored } = Promise.withResolvers<void>();
  let asked = 0;
  sandbox.intercept((request, response) => {
    if (!sandbox.ids().some((id) => request.url!.endsWith(id))) return false;
    asked += 1;
    if (asked !== 4) return false;
    areStored();
    void held.then(() => response.writeHead(503).end("{}"));
    return true;
  });
  const running = place.start("export");
  await stored;
  // What a catalog is made from: no command that reads it all could do without.
  const entries = place.path("vault", CLIENT, "audit/tile/entries");
  await rename(entries, `${entries}-away`);
  let isOver = false;
  void running.ended.then(() => {
    isOver = true;
  });
  let during: ClientStatus | undefined;
  do {
    assert.ok(!isOver, "the export ended, although the provider has not answered");
    [during] = await place.expect<ClientStatus>(0, "status");
  } while (during!.log!.entries < before!.log!.entries + 4);
  await rename(`${entries}-away`, entries);
  assert.equal(during!.log!.entries, before!.log!.entries + 4);
  letGo();
  assert.equal((await running.ended).code, 0);
});
