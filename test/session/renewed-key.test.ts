import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

/** Answers as the provider at `to` does with this key. */
function send(request: IncomingMessage, response: ServerResponse, to: string, key: string): true {
  void fetch(new URL(request.url ?? "", to), { headers: { "x-api-key": key } }).then(async (answer) => {
    const body = await answer.text();
    response.writeHead(answer.status, { "content-type": "application/json" }).end(body);
  });
  return true;
}

test("a key that is replaced during a run by one of another project ends the run: no one is gone", async () => {
  await using one = await startSandbox({ identities: 8, files: false, apiKey: "of-one" });
  await using other = await startSandbox({ identities: 8, files: false, seed: 2, apiKey: "of-other" });
  await using place = await makeWorkplace(one, { client: { source: { concurrency: 1 } } });
  await place.export();
  one.change(8);
  let asked = 0;
  one.intercept((request, response) => {
    asked += 1;
    if (asked === 6) writeFileSync(place.path("keys/provider"), other.apiKey);
    if (request.headers["x-api-key"] === other.apiKey) return send(request, response, other.url, other.apiKey);
    if (asked < 6) return false;
    response.writeHead(401).end();
    return true;
  });
  const ended = await place.here("export");
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(ended.stderr, /replaced by one of another project/);
  assert.deepEqual(await place.entries("record.gone"), []);
  // The next run knows that it is another project.
  const next = await place.export();
  assert.deepEqual([next.new, next.gone], [8, 0]);
  assert.equal((await place.entries("source.changed")).length, 2);
});

test("a key that is replaced during a run by another of the same project continues it", async () => {
  await using one = await startSandbox({ identities: 8, files: false, apiKey: "today" });
  await using place = await makeWorkplace(
    { url: one.url, apiKey: "yesterday" },
    { client: { source: { concurrency: 1 } } },
  );
  let asked = 0;
  one.intercept((request, response) => {
    asked += 1;
    if (asked === 6) writeFileSync(place.path("keys/provider"), one.apiKey);
    if (asked > 6 || request.headers["x-api-key"] === one.apiKey) return false;
    if (asked < 6) return send(request, response, one.url, one.apiKey);
    response.writeHead(401).end();
    return true;
  });
  assert.deepEqual((await place.export()).new, 8);
});
