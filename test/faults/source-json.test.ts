import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startSandbox } from "../sandbox/server.ts";
import { impatient, makePlace } from "./place.ts";
import * as the from "./requests.ts";

const deep = `{"data":${"[".repeat(5_000)}${"]".repeat(5_000)},"id":"x"}`;
const faults: Readonly<Record<string, the.Fault>> = {
  nothing: the.answers(""),
  "truncated JSON": the.answers('{"data":[{"id":"6f2f'),
  "malformed JSON": the.answers('{"data":[,],"id":}'),
  "an HTML page": the.answers("<!doctype html><title>Maintenance</title>"),
  "another shape": the.answers('{"data":{"id":17},"cursor":[],"id":{"a":1}}'),
  null: the.answers("null"),
  "a list of nulls": the.answers('{"data":[null],"cursor":null,"id":null}'),
  "an id without end": the.answers(`{"data":[{"id":"${"a".repeat(5_000)}"}],"id":"${"a".repeat(5_000)}"}`),
  "JSON nested too deep": the.answers(deep),
  "no UTF-8": (response) => response.writeHead(200).end(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
  "a Content-Length that is too short": (response, text) =>
    response.writeHead(200, { "Content-Length": text.length - 20 }).end(text),
  "an answer that is too large": (response) => {
    const chunk = Buffer.alloc(1024 * 1024, " ");
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.writeHead(200).on("drain", more);
    more();
  },
};

describe("the provider's answers break the API's contract", { concurrency: 4 }, () => {
  for (const [name, fault] of Object.entries(faults)) {
    test(name, async () => {
      await using sandbox = await startSandbox({ identities: 5, files: false });
      await using place = await makePlace(sandbox);
      the.strike(sandbox, the.list, fault);
      const unlisted = await place.export();
      // One unreadable identity must not stop the list.
      const whole = !/^a list of|^an id|deep$/.test(name);
      assert.deepEqual([unlisted.exit, unlisted.code], whole ? [1, "source-response"] : [3, "partial"]);

      the.strike(sandbox, the.identity(sandbox, 3), fault);
      const partly = await place.export();
      assert.deepEqual([partly.exit, partly.summary?.failed, partly.summary?.new], [3, 1, 4]);
      assert.deepEqual(
        (await place.work.entries("record.failed")).map(({ code }) => code),
        ["source-response"],
      );

      // Once is a temporary fault: Holdfast retries.
      sandbox.add(1);
      the.strike(sandbox, the.identity(sandbox, 5), fault, { times: 1 });
      const passed = await place.export();
      assert.deepEqual([passed.exit, passed.summary?.new], [0, 2]);
      sandbox.intercept(undefined);
      await place.completes();
    });
  }
});

test("an answer about another identity is not stored for this one", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makePlace(sandbox);
  the.strike(sandbox, the.identity(sandbox, 1), the.answers(sandbox.text(2)));
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.summary?.failed], [3, 1]);
  sandbox.intercept(undefined);
  assert.equal((await place.completes()).new, 1);
});

test("waits for an answer that arrives byte by byte, but not for one that is too slow", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makePlace(sandbox);
  const text = '{"id":"a","slug":"b","environment":"c"}';
  const drip =
    (bytes: () => Generator<string>): the.Fault =>
    (response) => {
      const all = bytes();
      const next = (): void => {
        const { value, done } = all.next();
        if (done) response.end();
        else if (!response.destroyed) response.write(value, () => setTimeout(next, 5));
      };
      response.writeHead(200, { "Content-Type": "application/json" });
      next();
    };
  const settings: the.Where = (endpoint) => endpoint === "settings";
  the.strike(
    sandbox,
    settings,
    drip(function* () {
      yield* text;
    }),
  );
  assert.equal((await place.export()).exit, 0);

  the.strike(
    sandbox,
    settings,
    drip(function* () {
      for (;;) yield " ";
    }),
  );
  const ended = await place.export({ patience: impatient });
  assert.deepEqual([ended.exit, ended.code], [1, "source-unavailable"]);
  sandbox.intercept(undefined);
  await place.completes();
});
