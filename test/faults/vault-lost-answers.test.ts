import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { init } from "../../jobs/init.ts";
import { startSandbox } from "../sandbox/server.ts";
import type { Failure } from "../servers/strict-s3/fault.ts";
import { brief, impatient, makePlace, makeStrictPlace } from "./place.ts";

/** The store does what was asked, but its answer does not arrive. */
const lost: readonly Failure[] = ["lost-answer", "stall"];

/** Sets the fault for requests with a matching path. */
function onPut(s3: Awaited<ReturnType<typeof makeStrictPlace>>["s3"], path: RegExp, fails: Failure, times = 1) {
  let left = times;
  let struck = 0;
  s3.intercept((request) => {
    const meant = request.method === "PUT" && path.test(request.url!.split("?")[0]!) && left > 0;
    if (meant) {
      left -= 1;
      struck += 1;
    }
    // Requests are answered in the order in which their bodies end, so the fault hits the next PUT: this one.
    if (meant) s3.setFaults([{ operation: "PutObject", times: 1, fails }]);
    return false;
  });
  return () => struck;
}

describe("a stored PUT whose answer is lost", { concurrency: 3 }, () => {
  for (const fails of lost) {
    const patience = fails === "stall" ? impatient : brief;
    test(`of the checkpoint, with compare-and-swap: no fork (${fails})`, async () => {
      await using sandbox = await startSandbox({ identities: 4, files: false });
      await using strict = await makeStrictPlace(sandbox);
      const { place, s3 } = strict;
      const struck = onPut(s3, /audit\/checkpoint$/, fails);
      const ended = await place.export({ patience });
      assert.deepEqual([ended.exit, ended.code, struck()], [0, undefined, 1]);
      const conditional = s3.seen.filter(({ key, headers }) => key.endsWith("checkpoint") && headers["if-match"]);
      // One, and a retry after the lost answer.
      assert.equal(conditional.length, 2);
      await place.completes();
    });

    test(`of the checkpoint, every time, with reads failing: the next run recognises its own (${fails})`, async () => {
      await using sandbox = await startSandbox({ identities: 4, files: false });
      await using strict = await makeStrictPlace(sandbox);
      const { place, s3 } = strict;
      s3.intercept((request) => {
        if (request.method === "PUT" && /audit\/checkpoint/.test(request.url!)) s3.setFaults([{ fails }]);
        return false;
      });
      const ended = await place.export({ patience });
      assert.deepEqual([ended.exit, ended.code], [1, "vault-unavailable"]);
      s3.intercept(() => false);
      s3.setFaults([]);
      assert.equal((await place.completes()).unchanged, 4);
    });

    for (const before of ["in the first run", "after a run that failed"]) {
      test(`of records, ${before}: each is stored once (${fails})`, async () => {
        await using sandbox = await startSandbox({ identities: 4, files: false });
        await using strict = await makeStrictPlace(sandbox);
        const { place, s3 } = strict;
        if (before !== "in the first run") {
          s3.intercept((request, response) => {
            if (!/records\//.test(request.url!)) return false;
            request.resume();
            response.writeHead(403).end("<Error><Code>AccessDenied</Code></Error>");
            return true;
          });
          assert.equal((await place.export({ patience })).exit, 1);
        }
        const struck = onPut(s3, /records\//, fails, 3);
        assert.equal((await place.export({ patience })).exit, 0);
        assert.equal(struck(), 3);
        await place.isWhole(4);
        const vault = await place.work.vault();
        for (const { object } of await place.work.entries("record.stored")) {
          assert.equal((await Array.fromAsync(vault.versions(object.key))).length, 1);
        }
      });
    }

    test(`of the lease: the run that wrote it holds it (${fails})`, async () => {
      await using sandbox = await startSandbox({ identities: 2, files: false });
      await using strict = await makeStrictPlace(sandbox);
      const struck = onPut(strict.s3, /lease\.json$/, fails, 2);
      assert.equal((await strict.place.export({ patience })).exit, 0);
      assert.equal(struck(), 2);
      await strict.place.completes();
    });
  }

  test("during init: init can be run again", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using strict = await makeStrictPlace(sandbox);
    const { s3 } = strict;
    const url = strict.place.work.config.clients[0]!.vault;
    await using place = await makePlace(sandbox);
    // With a state directory that has seen another vault's log, init would report that someone emptied this one.
    place.work.config.state = "./state-second";
    await place.work.configure({ vault: { ...(url as object), url: `${(url as { url: string }).url}-second` } });
    for (let put = 0; put < 8; put++) {
      s3.setFaults([{ operation: "PutObject", times: 4, fails: put % 2 ? "lost-answer" : "reset" }]);
      await init(await place.session()).catch(() => {});
    }
    s3.setFaults([]);
    await init(await place.session());
    await place.completes();
  });
});
